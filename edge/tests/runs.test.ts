// Runs by HTTP: asked for, watched, stopped, resumed; each asked for once however often it is delivered.

import {
  ask,
  equal,
  functions,
  keys,
  literal,
  now,
  push,
  rested,
  run,
  sql,
  token,
  truth,
  unique,
  until,
} from "./project.ts";

const SLOW = "create table if not exists slow_table (); select pg_sleep(60)";

/** Waits until the run of a pack is in the middle of its statement. */
function asleep(pack: string): Promise<void> {
  return until(`select exists (select from pg_stat_activity
    where wait_event = 'PgSleep' and application_name = 'strata run of ${pack}')`);
}

Deno.test("a run is accepted, watched and ends", async () => {
  const pack = unique("ends");
  await push(pack, { "001_a.up.sql": "create table runs_ends (x int)", "001_a.down.sql": "drop table runs_ends" });
  const started = await ask("POST", "migrate", { pack });
  equal([started.status, Object.keys(started.body)], [202, ["run"]]);
  equal(started.headers.get("location"), `/functions/v1/strata/runs/${started.body.run}`);
  const progress = await rested(started.body.run);
  equal([progress.state, progress.pack, progress.direction], ["succeeded", pack, "up"]);
  const page = await ask("GET", `packs/${pack}`);
  equal(page.status, 200);
  equal(page.body.versions.map((version: { state: string }) => version.state), ["applied"]);
  equal([page.body.plan, page.body.refused, page.body.run], [[], null, null]);
  equal(page.body.phases.length, 1);
  equal((await run({ pack, target: 0 })).direction, "down");
  equal(await sql("select to_regclass('runs_ends') is null"), "t");
});

Deno.test("a pack that is executed for the service is executed as the role that lent it", async () => {
  const pack = unique("lent");
  const look = "select current_user || ' ' || current_setting('search_path') as who";
  await push(pack, { "001_a.up.sql": `create table runs_lent as ${look}` });
  equal((await run({ pack })).requested_by, "owner");
  equal(await sql("select who from public.runs_lent"), 'owner "$user", public');
});

Deno.test("a pack that was not lent is executed with the service's own rights", async () => {
  const pack = unique("own");
  await push(pack, { "001_a.up.sql": "create table public.runs_own (x int)" });
  await sql(`select strata.withdraw_delegation(${literal(pack)}, 'service_role')`);
  const progress = await run({ pack });
  equal([progress.state, progress.sqlstate, progress.requested_by], ["failed", "42501", "service_role"]);
});

Deno.test("files that somebody else has pushed are not executed as the role that lent the pack", async () => {
  const pack = unique("foreign");
  await push(pack, { "001_a.up.sql": "create table runs_foreign ()" });
  await sql(`update strata.pack_file set pushed_by = 'service_role', pushed_at = clock_timestamp() + interval '1 s'
             where pack = ${literal(pack)}`);
  const refused = await ask("POST", "migrate", { pack });
  equal([refused.status, refused.body.code], [409, "ST007"]);
  equal((await ask("POST", "verify", { pack })).status, 409);
});

Deno.test("twenty deliveries of one request start one run", async () => {
  const pack = unique("once");
  await push(pack, { "001_a.up.sql": "create table runs_once ()" });
  const headers = { apikey: keys.secret, "idempotency-key": unique("key") };
  const delivered = await Promise.all(Array.from({ length: 20 }, () => ask("POST", "migrate", { pack }, headers)));
  equal(new Set(delivered.map(({ status }) => status)), new Set([202]));
  equal(new Set(delivered.map(({ body }) => body.run)).size, 1);
  equal(await sql(`select count(*), max(attempt) from strata.run where pack = ${literal(pack)}`), "1|1");
  const id = delivered[0].body.run;
  equal((await rested(id)).state, "succeeded");
  equal((await ask("POST", "migrate", { pack }, headers)).body.run, id, "also when it has long ended");
});

Deno.test("a key means one request", async () => {
  const pack = unique("key");
  await push(pack, { "001_a.up.sql": "select 1" });
  const headers = { apikey: keys.secret, "idempotency-key": unique("key") };
  equal((await ask("POST", "migrate", { pack }, headers)).status, 202);
  const other = await ask("POST", "migrate", { pack, target: 0 }, headers);
  equal([other.status, other.body.code], [400, "22023"]);
});

Deno.test("a run at work is not started beside, is stopped, and goes on when asked", async () => {
  const pack = unique("slow");
  await push(pack, { "001_slow.up.sql": SLOW });
  const { run: id } = (await ask("POST", "migrate", { pack })).body;
  await asleep(pack);
  const beside = await ask("POST", "migrate", { pack });
  equal([beside.status, beside.body.code], [409, "55P03"]);
  equal((await ask("POST", `runs/${id}/resume`)).status, 409);
  const progress = (await ask("GET", `runs/${id}`)).body;
  equal([progress.state, progress.alive, progress.step], ["running", true, 1]);
  const open = (await ask("GET", `packs/${pack}`)).body.run;
  equal([open.run, open.state, open.alive, open.version, open.step], [id, "running", true, 1, 1]);
  equal((await ask("POST", `runs/${id}/cancel`)).body, { cancelled: true });
  equal((await rested(id)).state, "cancelled");
  equal((await ask("POST", `runs/${id}/cancel`)).body, { cancelled: false });
  await push(pack, { "001_slow.up.sql": SLOW.replace("60", "0") });
  equal((await ask("POST", `runs/${id}/resume`)).status, 202);
  equal((await rested(id)).state, "succeeded");
  const ended = await ask("POST", `runs/${id}/resume`);
  equal([ended.status, ended.body.code], [409, "55000"]);
});

Deno.test("a run that fails tells why", async () => {
  const pack = unique("fails");
  await push(pack, { "001_a.up.sql": "select 1 / 0" });
  const progress = await run({ pack });
  equal([progress.state, progress.sqlstate, progress.message], ["failed", "22012", "division by zero"]);
  const open = (await ask("GET", `packs/${pack}`)).body.run;
  equal([open.state, open.alive, open.sqlstate, open.message], ["failed", false, "22012", "division by zero"]);
});

Deno.test("progress comes as events until nothing more happens by itself", async () => {
  const pack = unique("events");
  await push(pack, { "001_a.up.sql": "select pg_sleep(1)", "002_b.up.sql": "create table runs_events ()" });
  const { run: id } = (await ask("POST", "migrate", { pack })).body;
  const headers = { apikey: keys.secret, accept: "text/event-stream" };
  const answer = await fetch(`${functions}/runs/${id}`, { headers });
  equal([answer.status, answer.headers.get("content-type")], [200, "text/event-stream; charset=utf-8"]);
  const blocks = (await answer.text()).split("\n\n").filter((block) => block.includes("data: "));
  const events = blocks.map((block) => {
    const [, name, data] = block.match(/^event: (\w+)\ndata: (.*)$/) ?? [];
    return { name, data: JSON.parse(data) };
  });
  truth(events.length >= 2, JSON.stringify(events));
  equal(events.at(0)!.name, "progress");
  equal([events.at(-1)!.name, events.at(-1)!.data.state], ["end", "succeeded"]);
});

Deno.test("events of no run are a plain refusal, and a reader may go away", async () => {
  const headers = { apikey: keys.secret, accept: "text/event-stream" };
  const none = await ask("GET", `runs/${crypto.randomUUID()}`, undefined, headers);
  equal([none.status, none.body.code], [404, "42704"]);
  const pack = unique("gone");
  await push(pack, { "001_slow.up.sql": SLOW });
  const { run: id } = (await ask("POST", "migrate", { pack })).body;
  const leaving = new AbortController();
  const answer = await fetch(`${functions}/runs/${id}`, { headers, signal: leaving.signal });
  const reader = answer.body!.getReader();
  await reader.read();
  await reader.cancel();
  leaving.abort();
  await asleep(pack);
  equal((await ask("POST", `runs/${id}/cancel`)).body, { cancelled: true });
  equal((await rested(id)).state, "cancelled");
});

Deno.test("a gate is told, signed by HTTP, and passed", async () => {
  const pack = unique("gate");
  const manifest = `name = "${pack}"\ntitle = "A gate"\n[[phase]]\nnumber = 1\nname = "One"\nmigrations = [1]\n` +
    `[[phase]]\nnumber = 2\nname = "Two"\nmigrations = [2]\n[phase.sign]\nready = "everybody knows"\n`;
  const check = "select 'one' as check_name, '1' as expected, '1' as actual, true as ok";
  const files = { "001_a.up.sql": "select 1", "001_a.verify.sql": check, "002_b.up.sql": "select 2" };
  await push(pack, files, manifest);
  const waiting = await run({ pack });
  equal(waiting.state, "waiting");
  const page = (await ask("GET", `packs/${pack}`)).body;
  equal(page.checklist.map((item: { item: string; state: string }) => [item.item, item.state]), [["2.ready", "open"]]);
  const verified = (await ask("POST", "verify", { pack })).body;
  equal([verified.ok, verified.checks.length], [true, 1]);
  const unreasoned = await ask("POST", "sign-off", { pack, item: "2.ready", reason: " " });
  equal([unreasoned.status, unreasoned.body.code], [400, "22023"]);
  const signed = await ask("POST", "sign-off", { pack, item: "2.ready", reason: "told everybody" });
  equal([signed.status, typeof signed.body.signature], [201, "number"]);
  equal((await ask("POST", "sign-off", { pack, item: "2.ready", reason: "again" })).status, 409);
  const signer = async () => (await ask("GET", `packs/${pack}`)).body.checklist[0].signed_by;
  equal(await signer(), "authenticator/service_role");
  await sql(`select strata.withdraw_sign_off(${literal(pack)}, '2.ready', 'not by a key')`);
  const deploy = await token({ role: "service_role", sub: "deploy@ci", exp: now() + 60 });
  const headers = { authorization: `Bearer ${deploy}`, apikey: keys.publishable };
  equal((await ask("POST", "sign-off", { pack, item: "2.ready", reason: "told everybody" }, headers)).status, 201);
  equal(await signer(), "authenticator/deploy@ci");
  equal((await ask("POST", "sign-off", { pack, item: "2.none", reason: "x" })).status, 404);
  equal((await run({ pack })).state, "succeeded");
});

Deno.test("a dry run by HTTP leaves its report and nothing else", async () => {
  const pack = unique("dry");
  await push(pack, { "001_a.up.sql": "create table runs_dry ()", "002_b.up.sql": "select 1/0" });
  const headers = { apikey: keys.secret, "idempotency-key": unique("key") };
  const started = await ask("POST", "migrate", { pack, target: 1, dry_run: true }, headers);
  equal(started.status, 202);
  const again = await ask("POST", "migrate", { pack, target: 1, dry_run: true }, headers);
  equal([again.status, again.body.run], [202, started.body.run]);
  const real = await ask("POST", "migrate", { pack, target: 1 }, headers);
  equal([real.status, real.body.code], [400, "22023"], "the key was given to a dry run");
  equal((await rested(started.body.run)).state, "passed");
  const found = (await ask("GET", `runs/${started.body.run}/report`)).body;
  equal([found.pack, found.direction, found.state, found.sqlstate], [pack, "up", "passed", null]);
  equal(found.report.steps.map((step: { result: string }) => step.result), ["passed"]);
  equal(await sql("select to_regclass('runs_dry') is null"), "t");
  const failing = await run({ pack, dry_run: true });
  equal([failing.state, failing.sqlstate], ["failed", "22012"]);
  equal(await sql(`select count(*) from strata.run where pack = ${literal(pack)}`), "0");
  const none = await ask("GET", `runs/${crypto.randomUUID()}/report`);
  equal([none.status, none.body.code], [404, "42704"]);
});
