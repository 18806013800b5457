// An instance that panics answers at once, and the next request finds a new one. Needs the function and no project.

import { __wbg_reset_state, Edge, initSync } from "../supabase/functions/strata/strata.js";
import { type Instance, supervise } from "../supabase/functions/strata/supervise.ts";
import { Buffer } from "node:buffer";
import wasm from "../supabase/functions/strata/strata_wasm.js";
import { equal } from "./project.ts";

const HEALTH = () => new Request("http://x/strata/health");

initSync({ module: Buffer.from(wasm, "base64") });

function environment(name: string): string | undefined {
  return name === "SUPABASE_URL" ? "http://127.0.0.1:9" : undefined;
}

/** A request that breaks in the hands of whoever reads it: what WebAssembly calls throws. */
function broken(): Request {
  return {
    get method() {
      throw new WebAssembly.RuntimeError("unreachable");
    },
  } as unknown as Request;
}

Deno.test("the function goes on after an instance has died", async () => {
  let instances = 0;
  const handle = supervise((panicked) => {
    instances += 1;
    return new Edge(environment, panicked);
  }, __wbg_reset_state);
  equal((await handle(HEALTH())).status, 200);
  for (const round of [1, 2, 3]) {
    const answer = await handle(broken());
    const body = await answer.json();
    equal([answer.status, body.code, Object.keys(body)], [500, "HT500", ["code", "message", "details", "hint"]]);
    equal([(await handle(HEALTH())).status, instances], [200, round + 1]);
  }
});

Deno.test("whoever waits for an instance that dies is answered at once", async () => {
  let started = 0;
  let resets = 0;
  let die = (_: string) => {};
  const handle = supervise((panicked): Instance => {
    started += 1;
    die = panicked;
    const first = started === 1;
    return { handle: () => first ? new Promise(() => {}) : Promise.resolve(new Response("well")) };
  }, () => resets += 1);
  const waiting = [handle(HEALTH()), handle(HEALTH())];
  die("index out of bounds");
  for (const answer of await Promise.all(waiting)) equal(answer.status, 500);
  equal([await (await handle(HEALTH())).text(), started, resets], ["well", 2, 1]);
});

Deno.test("a function that is not set up says so in its log and nothing to callers", async () => {
  const handle = supervise((panicked) => new Edge(() => undefined, panicked), __wbg_reset_state);
  const answer = await handle(HEALTH());
  const text = await answer.text();
  equal([answer.status, text.includes("SUPABASE_URL")], [500, false]);
});
