// The Aurum application by HTTP alone: migrated, embedded, and searched by its users.

import { ask, equal, keys, literal, sql, truth, user } from "./project.ts";
import { DIMENSIONS, phases } from "./phases.ts";
import { embedding, provider } from "./provider.ts";

const [MAYA, DANIEL] = ["10000000-0000-4000-8000-000000000001", "10000000-0000-4000-8000-000000000002"];

async function search(sub: string, body: Record<string, unknown>) {
  const headers = { authorization: `Bearer ${await user(sub)}`, apikey: keys.publishable };
  return await ask("POST", "search", body, headers);
}

Deno.test("the Aurum application, by HTTP", async (test) => {
  await test.step("goes through its nine phases, each of them seen", phases);
  await test.step("is searched by users, who see their own rows", users);
  await test.step("is searched for a user by the service", service);
  await test.step("is searched by nobody else", strangers);
  await test.step("is not searched when its provider fails, which is told without its words", failures);
});

/** Who wrote the rows that were found. */
async function owners(hits: { entity_type: string; entity_id: string }[]): Promise<string> {
  const ids = hits.map((hit) => literal(hit.entity_id)).join(", ");
  return await sql(`select string_agg(distinct user_id::text, ' ') from (
    select id, user_id from public.tasks union all select id, user_id from public.journal_entries
    union all select id, user_id from public.insights) x where id in (${ids})`);
}

async function users() {
  const vector = JSON.parse(
    await sql(`select description_embedding from public.tasks where user_id = '${MAYA}'
    and description_embedding is not null limit 1`),
  );
  await using openai = provider(embedding(vector));
  const mine = await search(MAYA, { query: "what made me happy?", match_count: 5 });
  equal([mine.status, mine.body.hits?.length], [200, 5], JSON.stringify(mine.body));
  truth(mine.body.hits[0].similarity > 0.999, "the nearest row is the vector's own");
  equal(await owners(mine.body.hits), MAYA);
  equal(openai.asked[0].key, "Bearer provider-key");
  equal(openai.asked[0].body.input, ["what made me happy?"]);
  const his = await search(DANIEL, { query: "what made me happy?", match_count: 5 });
  equal(await owners(his.body.hits), DANIEL);
  const words = await search(MAYA, { query: "sleep", text_weight: 0.5 });
  equal([words.status, words.body.code], [409, "55000"], "no source of this pack is searched by words");
  const other = await search(DANIEL, { embedding: vector, user: MAYA });
  equal([other.status, other.body.code], [403, "42501"]);
  const narrow = await search(MAYA, { embedding: vector, entity_types: ["task"], match_count: 3 });
  equal(narrow.body.hits.map((hit: { entity_type: string }) => hit.entity_type), ["task", "task", "task"]);
}

async function service() {
  const vector = Array.from({ length: DIMENSIONS }, (_, at) => Math.sin(at));
  const found = await ask("POST", "search", { embedding: vector, user: DANIEL });
  equal([found.status, await owners(found.body.hits)], [200, DANIEL]);
  const nobody = await ask("POST", "search", { embedding: vector });
  equal([nobody.status, nobody.body.code], [400, "22004"]);
}

async function strangers() {
  for (const headers of [{}, { apikey: keys.publishable }] as HeadersInit[]) {
    const answer = await ask("POST", "search", { query: "x" }, headers);
    equal([answer.status, answer.body.code], [401, "28P01"]);
  }
  const bad: [Record<string, unknown>, string][] = [
    [{}, "22023"],
    [{ query: " " }, "22023"],
    [{ embedding: [1, 0] }, "22000"],
    [{ embedding: [] }, "22000"],
    [{ embedding: ["a"] }, "22023"],
    [{ embedding: Array(DIMENSIONS).fill(0) }, "22000"],
    [{ query: "x", table: "public.tasks" }, "22023"],
    [{ embedding: Array(DIMENSIONS).fill(1), match_count: 0 }, "22023"],
    [{ embedding: Array(DIMENSIONS).fill(1), user: "me" }, "22P02"],
  ];
  for (const [body, code] of bad) {
    const answer = await search(MAYA, body);
    equal([answer.status, answer.body.code], [400, code], JSON.stringify(body).slice(0, 80));
  }
  const source = await search(MAYA, { embedding: Array(DIMENSIONS).fill(1), entity_types: ["users"] });
  equal([source.status, source.body.code], [404, "42704"]);
}

async function failures() {
  const unreached = await search(MAYA, { query: "x" });
  equal([unreached.status, unreached.body.code], [502, "ST023"]);
  const secret = "the provider says: provider-key";
  const answers = [
    () => new Response(secret, { status: 500 }),
    () => new Response(secret, { status: 429 }),
    () => new Response(secret),
    embedding([1, 0]),
    () => Response.json({ data: [] }),
  ];
  for (const answer of answers) {
    await using _openai = provider(answer);
    const failed = await search(MAYA, { query: "x" });
    equal([failed.status, failed.body.code], [502, "ST023"], JSON.stringify(failed.body));
    truth(!JSON.stringify(failed.body).includes("provider-key"), "no secret is told");
  }
  await sql("update strata.model set provider = 'local'");
  const local = await search(MAYA, { query: "x" });
  equal([local.status, local.body.hint.includes("send an embedding")], [502, true]);
  // As the tests behind this one find it: a model that can be asked, and has nothing to do.
  await sql("update strata.model set provider = 'openai'");
}
