// The running project as the tests see it: its routes, its database, its keys. `cargo xtask test edge` starts it.

import { Ajv2020 } from "ajv/dist/2020.js";

/** What `cargo xtask stack --json` prints. */
type Stack = {
  url: string;
  database: string;
  keys: {
    signing: JsonWebKey & { kid: string };
    anon: string;
    service_role: string;
    publishable: string;
    secret: string;
  };
  pids: Record<string, number>;
  function: { runner: string; module: string; environment: string };
};

// deno-lint-ignore no-explicit-any
type Json = any;

function variable(name: string): string {
  const value = Deno.env.get(name);
  if (!value) throw new Error(`${name} is not set: run cargo xtask test edge`);
  return value;
}

export const stack: Stack = JSON.parse(variable("STRATA_TEST_STACK"));
export const keys = stack.keys;
export const functions = `${stack.url}/functions/v1/strata`;

/** Longest that a test waits for something to happen. Unit: milliseconds. */
const PATIENCE = 60_000;

/** The description that the function serves: every answer of these tests is held against it. */
const described = await (await fetch(`${functions}/openapi.json`)).json();
const ajv = new Ajv2020({ strict: false, validateFormats: false });
ajv.addSchema({ ...described, $id: "described" });

/** Compiled once each. */
const validators = new Map<string, ReturnType<typeof ajv.compile>>();

/** The path of the description that a path is one of; none: the description has no such path. */
function described_path(path: string): string | undefined {
  const names = Object.keys(described.paths);
  return names.find((name) => new RegExp(`^${name.replace(/\{\w+\}/g, "[^/]+")}$`).test(`/${path}`));
}

/** Fails where an answer is not as it is described. What the description has not is refused as an error. */
function hold(method: string, path: string, status: number, body: Json) {
  const name = described_path(path);
  const operation = name && described.paths[name][method.toLowerCase()];
  if (method === "OPTIONS") return;
  const pointer = (part: string) => part.replaceAll("~", "~0").replaceAll("/", "~1");
  const error = "described#/components/schemas/Error";
  const found = operation?.responses[status];
  if (operation && !found) throw new Error(`${method} ${path} does not describe status ${status}`);
  const at = `described#/paths/${pointer(name ?? "")}/${method.toLowerCase()}/responses/${status}`;
  const schema = operation ? `${at}/content/application~1json/schema` : error;
  const validate = validators.get(schema) ?? ajv.compile({ $ref: encodeURI(schema) });
  validators.set(schema, validate);
  if (!validate(body)) throw new Error(`${method} ${path} ${status}: ${ajv.errorsText(validate.errors)}`);
}

/** An answer of the function. */
export type Answer = { status: number; headers: Headers; body: Json };

/** Asks as the project itself, unless other header lines say who asks. */
export async function ask(method: string, path: string, body?: unknown, headers?: HeadersInit): Promise<Answer> {
  const lines = new Headers(headers ?? { apikey: keys.secret });
  const json = body === undefined || typeof body === "string" ? body : JSON.stringify(body);
  if (json !== undefined && !lines.has("content-type")) lines.set("content-type", "application/json");
  const answer = await fetch(`${functions}/${path}`, { method, headers: lines, body: json });
  const text = await answer.text();
  const said = text ? JSON.parse(text) : null;
  hold(method, path, answer.status, said);
  return { status: answer.status, headers: answer.headers, body: said };
}

/** A function of a test's own beside the project's, for killing. */
export async function another(environment: Record<string, string> = {}) {
  const { runner, module, environment: file } = stack.function;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const args = ["run", "--quiet", "--allow-all", `--env-file=${file}`, runner, module, String(port)];
  const env = { SUPABASE_URL: stack.url, ...environment };
  const child = new Deno.Command(Deno.execPath(), { args, env, stdout: "null", stderr: "null" }).spawn();
  const url = `http://127.0.0.1:${port}/strata`;
  let dead = false;
  const kill = async () => {
    if (!dead) child.kill("SIGKILL");
    dead = true;
    await child.status;
  };
  await answers(`${url}/health`);
  return { url, kill, [Symbol.asyncDispose]: kill };
}

/** Waits until something answers there. */
async function answers(url: string): Promise<void> {
  const began = Date.now();
  for (;;) {
    try {
      const { ok, body } = await fetch(url);
      await body?.cancel();
      if (ok) return;
    } catch {
      // Not yet.
    }
    if (Date.now() - began > PATIENCE) throw new Error(`${url} does not answer`);
    await pause(20);
  }
}

/** Runs statements as the superuser; what the last one answers, one row a line. */
export async function sql(text: string): Promise<string> {
  const args = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", stack.database, "-f", "-"];
  const psql = new Deno.Command(`${variable("STRATA_TEST_PG")}/psql`, {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = psql.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  const { success, stdout, stderr } = await psql.output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  if (!success) throw new Error(`${decode(stderr)}\nin: ${text}`);
  return decode(stdout);
}

/** A literal. */
export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Waits until a query answers true. */
export async function until(query: string): Promise<void> {
  const began = Date.now();
  while (await sql(query) !== "t") {
    if (Date.now() - began > PATIENCE) throw new Error(`waited in vain for: ${query}`);
    await pause(50);
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((then) => setTimeout(then, milliseconds));
}

/** Pushes a pack and lends it to the service. */
export async function push(name: string, files: Record<string, string>, manifest: string | null = null) {
  const hash = async (text: string) => {
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
    return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
  };
  const list = [];
  for (const [file, text] of Object.entries(files)) list.push({ name: file, text, sha256: await hash(text) });
  const pack = literal(JSON.stringify({ name, manifest, files: list }));
  await sql(`select strata.push_pack(${pack}); select strata.delegate_pack(${literal(name)}, 'service_role')`);
}

/** Starts a run and waits until nothing more happens by itself. */
export async function run(asked: Record<string, unknown>): Promise<Json> {
  const started = await ask("POST", "migrate", asked);
  if (started.status !== 202) throw new Error(JSON.stringify(started.body));
  return await rested(started.body.run);
}

/** The progress of a run when nothing more happens by itself. */
export async function rested(id: string): Promise<Json> {
  const began = Date.now();
  for (;;) {
    const { body } = await ask("GET", `runs/${id}`);
    if (!["queued", "running"].includes(body.state)) return body;
    if (Date.now() - began > PATIENCE) throw new Error(`still ${JSON.stringify(body)}`);
    await pause(50);
  }
}

function base64(bytes: Uint8Array): string {
  const text = btoa(String.fromCharCode(...bytes));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A token of the project, signed with its key of today. */
export async function token(claims: Record<string, unknown>): Promise<string> {
  const { kid, ...jwk } = keys.signing;
  const algorithm = { name: "ECDSA", namedCurve: "P-256" };
  const key = await crypto.subtle.importKey("jwk", jwk, algorithm, false, ["sign"]);
  const encode = (value: unknown) => base64(new TextEncoder().encode(JSON.stringify(value)));
  const text = `${encode({ alg: "ES256", typ: "JWT", kid })}.${encode(claims)}`;
  const hash = { name: "ECDSA", hash: "SHA-256" };
  const signature = await crypto.subtle.sign(hash, key, new TextEncoder().encode(text));
  return `${text}.${base64(new Uint8Array(signature))}`;
}

/** Seconds since 1970. */
export const now = () => Math.floor(Date.now() / 1000);

/** The token of somebody who has signed in. */
export function user(sub: string, more: Record<string, unknown> = {}): Promise<string> {
  return token({ role: "authenticated", aud: "authenticated", sub, exp: now() + 3600, ...more });
}

/** A name that no other test has. */
export function unique(what: string): string {
  return `${what}-${crypto.randomUUID().slice(0, 8)}`;
}

export function equal(found: unknown, expected: unknown, what = "") {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}\nexpected ${b}\nfound    ${a}`);
}

export function truth(condition: unknown, what: string) {
  if (!condition) throw new Error(what);
}
