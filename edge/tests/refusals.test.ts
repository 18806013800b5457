// Every bad input has its 4xx, in the shape of an error, before anything is asked of the database.

import { ask, equal, functions, keys, now, token, truth, unique, user } from "./project.ts";

const RUN = "0b9f6e1c-5a7d-4c3e-9f21-3d5b8a7c6e10";
const MAYA = "10000000-0000-4000-8000-000000000001";

function refused(
  answer: { status: number; body: Record<string, unknown> },
  status: number,
  code: string,
  what: string,
) {
  equal(Object.keys(answer.body), ["code", "message", "details", "hint"], what);
  equal([answer.status, answer.body.code], [status, code], `${what}: ${JSON.stringify(answer.body)}`);
  truth(typeof answer.body.message === "string" && answer.body.message.length > 0, what);
}

Deno.test("what is no request of ours is refused", async () => {
  const cases: [string, string, unknown, number, string][] = [
    ["GET", "", undefined, 404, "HT404"],
    ["GET", "nothing", undefined, 404, "HT404"],
    ["POST", "health", undefined, 405, "HT405"],
    ["DELETE", `runs/${RUN}`, undefined, 405, "HT405"],
    ["PUT", "migrate", { pack: "a" }, 405, "HT405"],
    ["GET", "runs/1", undefined, 400, "22023"],
    ["GET", "runs/%27%20or%201=1", undefined, 400, "22023"],
    ["GET", "packs/A%20B", undefined, 400, "22023"],
    ["POST", "migrate", "{bad", 400, "HT400"],
    ["POST", "migrate", "", 400, "HT400"],
    ["POST", "migrate", `{"pack": "a", "variables": {"a": ${"[".repeat(100_000)}`, 400, "HT400"],
    ["POST", "migrate", [], 400, "22023"],
    ["POST", "migrate", {}, 400, "22023"],
    ["POST", "migrate", { pack: 7 }, 400, "22023"],
    ["POST", "migrate", { pack: "a", schema: "public" }, 400, "22023"],
    ["POST", "migrate", { pack: "a", target: "1" }, 400, "22023"],
    ["POST", "migrate", { pack: "a", to_phase: 2 ** 31 }, 400, "22023"],
    ["POST", "migrate", { pack: "a", variables: [] }, 400, "22023"],
    ["POST", "sign-off", { pack: "a", item: "x" }, 400, "22023"],
    ["POST", "migrate", { pack: unique("none") }, 404, "42704"],
    ["POST", "verify", { pack: unique("none") }, 404, "42704"],
    ["GET", `packs/${unique("none")}`, undefined, 404, "42704"],
    ["GET", `runs/${RUN}`, undefined, 404, "42704"],
    ["POST", `runs/${RUN}/cancel`, undefined, 404, "42704"],
    ["POST", `runs/${RUN}/resume`, undefined, 404, "42704"],
  ];
  for (const [method, path, body, status, code] of cases) {
    refused(await ask(method, path, body), status, code, `${method} ${path} ${JSON.stringify(body)?.slice(0, 60)}`);
  }
});

Deno.test("a body has a type, a size and a key that can be kept", async () => {
  const by = { apikey: keys.secret };
  const text = await ask("POST", "migrate", '{"pack": "a"}', { ...by, "content-type": "text/plain" });
  refused(text, 415, "HT415", "text");
  const huge = await ask("POST", "migrate", `{"pack": "${"a".repeat(300_000)}"}`);
  refused(huge, 413, "HT413", "huge");
  const key = await ask("POST", "migrate", { pack: "a" }, { ...by, "idempotency-key": "a b" });
  refused(key, 400, "22023", "key");
});

Deno.test("a huge body without a length is not read to its end", async () => {
  const chunk = new TextEncoder().encode("a".repeat(65_536));
  let sent = 0;
  const body = new ReadableStream({
    pull(controller) {
      if (sent++ < 100) controller.enqueue(chunk);
      else controller.close();
    },
  });
  const headers = { apikey: keys.secret, "content-type": "application/json" };
  const answer = await fetch(`${functions}/migrate`, { method: "POST", headers, body });
  refused({ status: answer.status, body: await answer.json() }, 413, "HT413", "stream");
});

Deno.test("a method that is wrong is told the right one", async () => {
  equal((await ask("PUT", "migrate")).headers.get("allow"), "POST, OPTIONS");
});

Deno.test("a browser may ask what it may send", async () => {
  const answer = await ask("OPTIONS", "migrate", undefined, {
    origin: "http://x",
    "access-control-request-method": "POST",
  });
  equal([answer.status, answer.headers.get("access-control-allow-origin")], [204, "*"]);
  truth(answer.headers.get("access-control-allow-headers")!.includes("idempotency-key"), "headers");
});

Deno.test("health is for anybody and tells nothing else", async () => {
  for (const headers of [{}, { authorization: "Bearer nonsense" }] as HeadersInit[]) {
    const { status, body } = await ask("GET", "health", undefined, headers);
    equal([status, Object.keys(body), body.status], [200, ["status", "version"], "ok"]);
  }
});

Deno.test("everything else is for the project itself", async () => {
  const maya = await user(MAYA);
  const strangers: [HeadersInit, number, string][] = [
    [{}, 401, "28P01"],
    [{ apikey: keys.publishable }, 401, "28P01"],
    [{ apikey: keys.anon, authorization: `Bearer ${keys.anon}` }, 401, "28P01"],
    [{ apikey: "sb_secret_wrong" }, 401, "28P01"],
    [{ authorization: "Basic eDp5" }, 401, "28P01"],
    [{ authorization: `Bearer ${maya}`, apikey: keys.publishable }, 403, "42501"],
    [{ authorization: `Bearer ${maya}`, apikey: keys.secret }, 403, "42501"],
  ];
  const routes: [string, string, unknown][] = [
    ["POST", "migrate", { pack: "a" }],
    ["GET", `runs/${RUN}`, undefined],
    ["POST", `runs/${RUN}/cancel`, undefined],
    ["POST", `runs/${RUN}/resume`, undefined],
    ["GET", "packs/a", undefined],
    ["POST", "verify", { pack: "a" }],
    ["POST", "sign-off", { pack: "a", item: "x", reason: "y" }],
    ["POST", "embed", {}],
  ];
  for (const [method, path, body] of routes) {
    for (const [headers, status, code] of strangers) {
      const answer = await ask(method, path, body, headers);
      refused(answer, status, code, `${method} ${path} by ${JSON.stringify(headers)}`);
      equal(answer.headers.get("www-authenticate"), status === 401 ? "Bearer" : null);
    }
  }
});

Deno.test("each way to be the project is one", async () => {
  const service = await token({ role: "service_role", exp: now() + 60 });
  const ways: HeadersInit[] = [
    { apikey: keys.secret },
    { authorization: `Bearer ${keys.secret}` },
    { apikey: keys.service_role },
    { authorization: `Bearer ${keys.service_role}`, apikey: keys.service_role },
    { authorization: `Bearer ${service}`, apikey: keys.publishable },
  ];
  for (const headers of ways) {
    refused(await ask("GET", `runs/${RUN}`, undefined, headers), 404, "42704", JSON.stringify(headers));
  }
});

Deno.test("a token that lies is refused", async () => {
  const service = { role: "service_role", exp: now() + 60 };
  const [header, claims] = (await token(service)).split(".");
  const encode = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("=", "");
  const lies: [string, string][] = [
    ["expired", await token({ ...service, exp: now() - 60 })],
    ["not yet", await token({ ...service, nbf: now() + 600 })],
    ["for ever", await token({ role: "service_role" })],
    ["for somebody else", await token({ ...service, aud: "other" })],
    ["no signature", `${header}.${claims}.`],
    ["no algorithm", `${encode({ alg: "none" })}.${claims}.`],
    ["another's signature", `${header}.${claims}.${"A".repeat(86)}`],
    ["another algorithm", `${encode({ alg: "HS256" })}.${claims}.${"A".repeat(43)}`],
  ];
  for (const [what, lie] of lies) {
    const answer = await ask("GET", `runs/${RUN}`, undefined, { authorization: `Bearer ${lie}` });
    refused(answer, 401, "28P01", what);
  }
});
