// An application goes through the eight phases of its pack, asked for and watched by HTTP alone.

import { ask, equal, functions, keys, literal, push, run, sql, truth, user } from "./project.ts";
import { embedding, provider } from "./provider.ts";

const PACKS = Deno.env.get("STRATA_TEST_PACKS")!;

/** The local model's size, so that no provider is asked. */
const VARIABLES = { embedding_model: "all-MiniLM-L6-v2", embedding_provider: "local", embedding_dimensions: 384 };

/** Some vector for every row that waits for one: quicker than a model. */
const EMBED = `do $$
declare
    s record;
    b record;
begin
    for s in select entity_type from strata.sources() loop
        perform strata.enqueue_missing(s.entity_type, null, 100000);
    end loop;
    loop
        select array_agg(c.entity_type) as types, array_agg(c.entity_id) as ids, array_agg(c.fence) as fences,
               array_agg(c.content_hash) as hashes,
               array_agg(('[' || repeat('0.1,', 383) || random() || ']')::vector) as vectors
        into b from strata.claim_jobs('test', 1000) c;
        exit when b.types is null;
        perform strata.complete_jobs(b.types, b.ids, b.fences, b.hashes, b.vectors);
    end loop;
end
$$`;

/** The files of a folder that belong to a pack, and its manifest. */
function files(folder: string): [Record<string, string>, string] {
  const found: Record<string, string> = {};
  for (const { name } of Deno.readDirSync(folder)) {
    if (/^\d+.*\.sql$/.test(name)) found[name] = Deno.readTextFileSync(`${folder}/${name}`);
  }
  return [found, Deno.readTextFileSync(`${folder}/pack.toml`)];
}

/** Follows a run by its events; what they told. */
async function follow(asked: Record<string, unknown>): Promise<Record<string, unknown>[]> {
  const { body } = await ask("POST", "migrate", asked);
  const headers = { apikey: keys.secret, accept: "text/event-stream" };
  const answer = await fetch(`${functions}/runs/${body.run}`, { headers });
  const lines = (await answer.text()).split("\n").filter((line) => line.startsWith("data: "));
  return lines.map((line) => JSON.parse(line.slice("data: ".length)));
}

const [MAYA, DANIEL] = ["10000000-0000-4000-8000-000000000001", "10000000-0000-4000-8000-000000000002"];

async function search(sub: string, body: Record<string, unknown>) {
  const headers = { authorization: `Bearer ${await user(sub)}`, apikey: keys.publishable };
  return await ask("POST", "search", body, headers);
}

Deno.test("the Aurum application, by HTTP", async (test) => {
  await test.step("goes through its eight phases", phases);
  await sql("update strata.model set provider = 'openai'");
  await test.step("is searched by users, who see their own rows", users);
  await test.step("is searched for a user by the service", service);
  await test.step("is searched by nobody else", strangers);
  await test.step("is not searched when its provider fails, which is told without its words", failures);
});

async function phases() {
  for (const name of ["baseline", "data"]) {
    await sql(Deno.readTextFileSync(`${PACKS}/aurum/app/${name}.sql`));
  }
  const [migrations, manifest] = files(`${PACKS}/aurum`);
  await push("aurum", migrations, manifest);

  const told = await follow({ pack: "aurum", variables: VARIABLES });
  truth(told.length >= 3, "progress was seen while it went on");
  equal(told.at(-1)!.state, "waiting", JSON.stringify(told.at(-1)));
  const half = (await ask("GET", "packs/aurum")).body;
  equal(half.checklist[0].item, "4.embedded");
  equal(half.phases.map((phase: { gate: string }) => phase.gate).slice(0, 4), ["none", "none", "none", "open"]);

  await sql(EMBED);
  await run({ pack: "aurum", to_phase: 8 });
  await sql(EMBED);
  const last = await run({ pack: "aurum", to_phase: 8 });
  equal([last.state, last.message], ["succeeded", null]);
  const page = (await ask("GET", "packs/aurum")).body;
  const applied = page.versions.filter((version: { state: string }) => version.state === "applied");
  equal(applied.map((version: { version: number }) => version.version), [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  const gates = page.phases.filter((phase: { phase: number }) => phase.phase <= 8);
  equal(gates.map((phase: { gate: string }) => phase.gate).includes("open"), false, JSON.stringify(gates));
  const verified = await ask("POST", "verify", { pack: "aurum" });
  equal([verified.status, verified.body.ok], [200, true], JSON.stringify(verified.body).slice(0, 500));
  truth(verified.body.checks.length > 20, "every check is told");
}

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
  const vector = Array.from({ length: 384 }, (_, at) => Math.sin(at));
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
    [{ embedding: Array(384).fill(0) }, "22000"],
    [{ query: "x", table: "public.tasks" }, "22023"],
    [{ embedding: Array(384).fill(1), match_count: 0 }, "22023"],
    [{ embedding: Array(384).fill(1), user: "me" }, "22P02"],
  ];
  for (const [body, code] of bad) {
    const answer = await search(MAYA, body);
    equal([answer.status, answer.body.code], [400, code], JSON.stringify(body).slice(0, 80));
  }
  const source = await search(MAYA, { embedding: Array(384).fill(1), entity_types: ["users"] });
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
}
