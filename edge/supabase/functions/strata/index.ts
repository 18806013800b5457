// The function's beginning: starts the WebAssembly and hands every request to it. `cargo xtask edge` puts strata.js and
// strata_wasm.js beside this file.

import { Buffer } from "node:buffer";
import { __wbg_reset_state, Edge, initSync } from "./strata.js";
import { supervise } from "./supervise.ts";
import wasm from "./strata_wasm.js";

initSync({ module: Buffer.from(wasm, "base64") });

Deno.serve(supervise(
  (panicked) => new Edge((name: string) => Deno.env.get(name), panicked),
  __wbg_reset_state,
));
