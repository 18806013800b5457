// How long the function takes from nothing to its first answer, in a process of its own. Argument: its module, beside which
// what it is made of lies. Prints milliseconds.

import { Buffer } from "node:buffer";

const beside = (name: string) => import(new URL(name, Deno.args[0]).href);

const began = performance.now();
const [{ initSync, Edge }, { default: wasm }] = await Promise.all([beside("strata.js"), beside("strata_wasm.js")]);
initSync({ module: Buffer.from(wasm, "base64") });
const edge = new Edge((name: string) => Deno.env.get(name), () => {});
const answer: Response = await edge.handle(new Request("http://function/strata/health"));
const took = performance.now() - began;

if (answer.status !== 200) throw new Error(`health answered ${answer.status}`);
console.log(took.toFixed(2));
