// A provider of embeddings that speaks as OpenAI's does, on the port that the project's function knows, and does what a test
// tells it.

const port = Number(Deno.env.get("STRATA_TEST_PROVIDER"));

/** Where it listens, for functions that a test starts itself. */
export const environment = {
  OPENAI_BASE_URL: `http://127.0.0.1:${port}/v1`,
  OPENAI_API_KEY: "provider-key",
  STRATA_PROVIDER_TIMEOUT: "5",
};

/** A request as it came. */
export type Asked = { key: string | null; body: { model: string; input: string[]; dimensions?: number } };

/** What it does with the request of this number, counted from 0. */
export type Behaviour = (asked: Asked, number: number) => Response | Promise<Response>;

/** Serves until it is disposed of; what it was asked. */
export function provider(answer: Behaviour) {
  const asked: Asked[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, async (request) => {
    asked.push({ key: request.headers.get("authorization"), body: await request.json() });
    return await answer(asked.at(-1)!, asked.length - 1);
  });
  return { asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Answers each text with this vector. */
export const embedding = (vector: number[]): Behaviour => ({ body }) =>
  Response.json({ data: body.input.map((_, index) => ({ index, embedding: vector })) });

/** Three numbers that only this text has, and that a float holds exactly. */
export function vectorOf(text: string): number[] {
  let hash = 7;
  for (const character of text) hash = (hash * 31 + character.charCodeAt(0)) % 65_521;
  return [1, (hash % 256) / 256, Math.floor(hash / 256) / 256];
}

/** Answers each text with its own vector. */
export const good: Behaviour = ({ body }) =>
  Response.json({ data: body.input.map((text, index) => ({ index, embedding: vectorOf(text) })) });

/** Refuses, as a careless server does: with the key in its words. */
export function refuse(status: number, headers: HeadersInit = {}): Response {
  return Response.json({ error: { message: "no, not with provider-key" } }, { status, headers });
}
