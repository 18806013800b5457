// supabase-js as it comes, against the same project: functions and rpc.

import { createClient } from "@supabase/supabase-js";
import { equal, keys, literal, push, rested, sql, stack, unique, user } from "./project.ts";

const quiet = { auth: { persistSession: false, autoRefreshToken: false } };

Deno.test("supabase-js starts and watches a run with a secret key", async () => {
  const pack = unique("js");
  await push(pack, { "001_a.up.sql": "create table clients_js ()" });
  const service = createClient(stack.url, keys.secret, quiet);
  const headers = { "idempotency-key": unique("key") };
  const started = await service.functions.invoke("strata/migrate", { body: { pack }, headers });
  equal(started.error, null);
  equal((await rested(started.data.run)).state, "succeeded");
  const progress = await service.functions.invoke(`strata/runs/${started.data.run}`, { method: "GET" });
  equal([progress.error, progress.data.state], [null, "succeeded"]);
  const found = await service.schema("strata").rpc("run_progress", { run: started.data.run }).single();
  equal([found.error, (found.data as { state: string }).state], [null, "succeeded"]);
});

Deno.test("supabase-js gets the error of a route in its context", async () => {
  const anybody = createClient(stack.url, keys.publishable, quiet);
  const refused = await anybody.functions.invoke("strata/migrate", { body: { pack: "a" } });
  equal([refused.error.context.status, (await refused.error.context.json()).code], [401, "28P01"]);
  const maya = await user("10000000-0000-4000-8000-000000000001");
  const signedIn = createClient(stack.url, keys.publishable, { accessToken: () => Promise.resolve(maya) });
  const forbidden = await signedIn.functions.invoke("strata/migrate", { body: { pack: "a" } });
  equal([forbidden.error.context.status, (await forbidden.error.context.json()).code], [403, "42501"]);
});

Deno.test("what the service was not granted it may not call beside the function either", async () => {
  const pack = unique("rpc");
  await push(pack, { "001_a.up.sql": "select 1" });
  const service = createClient(stack.url, keys.secret, quiet).schema("strata");
  for (
    const [name, args] of [
      ["push_pack", { pack: {} }],
      ["force_version", { pack, version: 1, reason: "x" }],
      ["delegate_pack", { pack, caller: "anon" }],
    ] as const
  ) {
    const { error } = await service.rpc(name, args);
    equal(error?.code, "42501", `${name}: ${JSON.stringify(error)}`);
  }
  equal(await sql(`select count(*) from strata.delegation where pack = ${literal(pack)}`), "1");
  const anybody = createClient(stack.url, keys.publishable, quiet).schema("strata");
  const { error } = await anybody.rpc("start_run_once", { key: null, pack });
  equal(error?.code, "42501");
});
