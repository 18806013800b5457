// Many requests at once, many one after another, and a function that is killed in the middle of one.

import {
  another,
  ask,
  equal,
  functions,
  keys,
  literal,
  now,
  push,
  rested,
  sql,
  stack,
  token,
  truth,
  unique,
} from "./project.ts";

Deno.test("a function that is killed between a request and its answer loses nothing", async () => {
  for (const delay of [0, 3, 6, 10, 15, 25, 40]) {
    const pack = unique("killed");
    await push(pack, { "001_a.up.sql": "select 1" });
    await using victim = await another();
    const headers = { apikey: keys.secret, "idempotency-key": unique("key"), "content-type": "application/json" };
    const body = JSON.stringify({ pack });
    const lost = fetch(`${victim.url}/migrate`, { method: "POST", headers, body })
      .then((answer) => answer.body?.cancel(), () => {});
    await new Promise((then) => setTimeout(then, delay));
    await victim.kill();
    await lost;
    const again = await ask("POST", "migrate", { pack }, headers);
    equal(again.status, 202, `${delay}: ${JSON.stringify(again.body)}`);
    equal((await rested(again.body.run)).state, "succeeded");
    equal(await sql(`select count(*) from strata.run where pack = ${literal(pack)}`), "1", String(delay));
  }
});

Deno.test("two hundred requests at once are answered to who asked", async () => {
  const packs = Array.from({ length: 5 }, (_, at) => unique(`crowd-${at}`));
  for (const pack of packs) await push(pack, { "001_a.up.sql": `select ${literal(pack)}` });
  const expired = await token({ role: "service_role", exp: now() - 60 });
  const requests = Array.from({ length: 200 }, async (_, at) => {
    const pack = packs[at % packs.length];
    switch (at % 4) {
      case 0:
        return equal((await ask("GET", `packs/${pack}`)).body.pack, pack);
      case 1:
        return equal((await ask("GET", `packs/none-${at}`)).body.message, `pack "none-${at}" is not known here`);
      case 2: {
        const refused = await ask("GET", `packs/${pack}`, undefined, { authorization: `Bearer ${expired}` });
        return equal([refused.status, refused.body.message], [401, "the token has expired"]);
      }
      default:
        return equal((await ask("GET", "health", undefined, {})).body.status, "ok");
    }
  });
  await Promise.all(requests);
});

/** Of the process of the function. Unit: MB. */
function memory(): number {
  const status = Deno.readTextFileSync(`/proc/${stack.pids.function}/status`);
  return Number(status.match(/VmRSS:\s+(\d+) kB/)![1]) / 1024;
}

Deno.test("memory is flat over ten thousand requests", async () => {
  const health = async () => {
    const { status, body } = await fetch(`${functions}/health`);
    await body?.cancel();
    equal(status, 200);
  };
  const lie = { apikey: "sb_secret_wrong", "content-type": "application/json" };
  const refused = async () => {
    const answer = await fetch(`${functions}/migrate`, { method: "POST", headers: lie, body: '{"pack": "a"}' });
    await answer.body?.cancel();
    equal(answer.status, 401);
  };
  const asked = async () => equal((await ask("GET", `runs/${crypto.randomUUID()}`)).status, 404);
  const round = async (requests: number) => {
    for (let at = 0; at < requests; at += 20) {
      const kind = (one: number) => one % 10 === 0 ? asked() : one % 2 === 0 ? refused() : health();
      await Promise.all(Array.from({ length: 20 }, (_, one) => kind(one)));
    }
  };
  await round(3000);
  const before = memory();
  await round(10_000);
  const after = memory();
  console.log(`memory: ${before.toFixed(1)} MB before, ${after.toFixed(1)} MB after`);
  truth(after < before * 1.2 + 10, `${before} MB grew to ${after} MB`);
});
