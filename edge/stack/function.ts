// Runs a function as Supabase's runtime does, in stock Deno: on the port that it is given, with `EdgeRuntime`.
// Arguments: the module, the port, and a folder that tells whose process this is.

const [module, port] = Deno.args;

const serve = Deno.serve as (options: Deno.ServeTcpOptions, handler: Deno.ServeHandler) => unknown;
const options = { hostname: "127.0.0.1", port: Number(port), onListen() {} };

Object.assign(Deno, { serve: (handler: Deno.ServeHandler) => serve(options, handler) });
Object.assign(globalThis, { EdgeRuntime: { waitUntil: (promise: Promise<unknown>) => promise.catch(console.error) } });

await import(module);
