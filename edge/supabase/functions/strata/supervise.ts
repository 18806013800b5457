// A promise of WebAssembly that has panicked never settles. So whoever waits for one is answered as soon as the panic is
// heard of, and the next request gets a new instance.

/** What answers requests. */
export type Instance = { handle(request: Request): Promise<Response> };

/** Hears that an instance cannot go on. */
export type Panicked = (message: string) => void;

/** A handler for Deno.serve. `start` makes an instance, `reset` clears away a dead one. */
export function supervise(start: (panicked: Panicked) => Instance, reset: () => void) {
  let instance: Instance | undefined;
  let dead = false;
  // One entry a request: a promise that all of them race against would keep every one of them for ever.
  const waiting = new Set<(reason: Error) => void>();

  function die(message: string) {
    console.error(`strata: ${message}`);
    instance = undefined;
    dead = true;
    for (const reject of waiting) reject(new Error("panicked"));
    waiting.clear();
  }

  function current(): Instance {
    if (dead) reset();
    dead = false;
    return instance ??= start(die);
  }

  // Without a listener the process would end. What is not of WebAssembly is a mistake of the host, and stays one.
  globalThis.addEventListener("error", (event) => {
    if (!(event.error instanceof WebAssembly.RuntimeError)) return;
    event.preventDefault();
    if (!dead) die(event.error.message);
  });

  return async (request: Request): Promise<Response> => {
    try {
      const edge = current();
      return await new Promise<Response>((resolve, reject) => {
        waiting.add(reject);
        edge.handle(request).then(resolve, reject).finally(() => waiting.delete(reject));
      });
    } catch (reason) {
      console.error(`strata: ${reason}`);
      return broken();
    }
  };
}

/** Tells nothing of the reason: that is in the log. */
function broken(): Response {
  const body = { code: "HT500", message: "the function failed", details: null, hint: "its log tells why" };
  const headers = {
    "access-control-allow-origin": "*",
    "cache-control": "no-store",
    "content-type": "application/json; charset=utf-8",
  };
  return new Response(JSON.stringify(body), { status: 500, headers });
}
