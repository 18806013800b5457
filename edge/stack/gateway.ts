// What stands before a project's API: `/rest/v1` is PostgREST, `/functions/v1` is the function. Keys that are no tokens are
// exchanged for the tokens of their roles, as Supabase's gateway does it; a user's own token is passed on.

type Keys = { anon: string; service_role: string; publishable: string; secret: string };

const variable = (name: string): string => {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set`);
  return value;
};
const keys: Keys = JSON.parse(Deno.readTextFileSync(`${Deno.args[0]}/keys.json`));
const rest = variable("STACK_REST");
const functions = variable("STACK_FUNCTIONS");

const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "GET, HEAD, PUT, PATCH, POST, DELETE, OPTIONS",
  "access-control-allow-headers":
    "authorization, apikey, x-client-info, content-type, content-profile, accept-profile, prefer, x-region",
};

function problem(status: number, message: string): Response {
  return Response.json({ message }, { status, headers: CORS });
}

/** The roles' tokens for their keys; a token that is there already stays. None: the key is nobody's. */
function authorization(headers: Headers): string | null | undefined {
  const shown = headers.get("authorization");
  if (shown && !shown.startsWith("Bearer sb_")) return shown;
  const key = headers.get("apikey") ?? shown?.slice("Bearer ".length);
  if (!key) return null;
  if (key === keys.publishable || key === keys.anon) return `Bearer ${keys.anon}`;
  if (key === keys.secret || key === keys.service_role) return `Bearer ${keys.service_role}`;
  return undefined;
}

async function forward(request: Request, url: string, headers: Headers, whole?: ArrayBuffer): Promise<Response> {
  headers.delete("host");
  // What is passed on is passed on as it is.
  headers.set("accept-encoding", "identity");
  try {
    const { method, signal } = request;
    return await inOnePiece(
      await fetch(url, { method, headers, body: whole ?? request.body, signal, redirect: "manual" }),
    );
  } catch (reason) {
    return problem(502, `nobody answers behind the gateway: ${reason}`);
  }
}

async function toRest(request: Request, path: string): Promise<Response> {
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers: CORS });
  const headers = new Headers(request.headers);
  const token = authorization(headers);
  if (token === undefined) return problem(401, "Invalid API key");
  if (token) headers.set("authorization", token);
  // In one piece: head and body apart would wait for each other's acknowledgement, 40 ms.
  const whole = request.body ? await request.arrayBuffer() : undefined;
  const answer = await forward(request, rest + path, headers, whole);
  for (const [name, value] of Object.entries(CORS)) answer.headers.set(name, value);
  return answer;
}

/** An answer in one piece: its end, in a packet of its own, would wait for an acknowledgement that its reader puts off, 40 ms. */
async function inOnePiece({ status, headers, body }: Response): Promise<Response> {
  const shown = new Headers(headers);
  if (!body || shown.get("content-type")?.startsWith("text/event-stream")) {
    return new Response(body, { status, headers: shown });
  }
  shown.delete("transfer-encoding");
  return new Response(await new Response(body).arrayBuffer(), { status, headers: shown });
}

Deno.serve({ hostname: "127.0.0.1", port: Number(variable("STACK_PORT")), onListen() {} }, (request) => {
  // What cannot be passed on.
  if (["TRACE", "CONNECT"].includes(request.method)) {
    const refused = problem(405, "Method Not Allowed");
    refused.headers.set("allow", CORS["access-control-allow-methods"]);
    return refused;
  }
  const { pathname, search } = new URL(request.url);
  if (pathname.startsWith("/rest/v1/")) return toRest(request, pathname.slice("/rest/v1".length) + search);
  if (pathname.startsWith("/functions/v1/")) {
    const path = pathname.slice("/functions/v1".length) + search;
    return forward(request, functions + path, new Headers(request.headers));
  }
  return problem(404, "no Route matched with those values");
});
