// Search by HTTP over sources of every shape: keys and tenants that are numbers and texts, organisations, words beside the
// embedding, and a model that is changed meanwhile.

import { ask, equal, keys, sql, truth, user } from "./project.ts";
import { notes } from "./notes.ts";
import { good, provider, vectorOf } from "./provider.ts";

const ANN = "a0000000-0000-4000-8000-000000000001";
const BOB = "b0000000-0000-4000-8000-000000000002";

const SOURCES = ["post", "page", "memo"];

// deno-lint-ignore no-explicit-any
type Json = any;

/** Three sources of model `tiny`, beside the notes: of numbers, of texts with words, of uuids with organisations. */
async function shapes() {
  const policy = (table: string, own: string) =>
    `alter table public.${table} enable row level security;
    grant select on public.${table} to authenticated, service_role;
    create policy own on public.${table} for select to authenticated using (${own})`;
  const sub = "current_setting('request.jwt.claims', true)::jsonb ->> 'sub'";
  const kept = await notes(
    0,
    `create table public.post (id bigint primary key, author int not null, title text, created_at timestamptz not null default now(), v vector(3));
    create table public.page (slug text primary key, owner text not null, title text, created_at timestamptz not null default now(), v vector(3));
    create table public.memo (id uuid primary key, user_id uuid not null, org uuid not null, title text, created_at timestamptz not null default now(), v vector(3));
    insert into public.post select g, 7 + g % 2, 'post ' || g, now(), format('[1,%s,0]', g)::vector from generate_series(1, 6) g;
    insert into public.page select 'p/' || g, 'user_' || g % 2, 'page ' || g, now(), format('[1,%s,0]', g)::vector from generate_series(1, 6) g;
    insert into public.page (slug, owner, title) values ('p/new', 'user_1', 'an armadillo');
    insert into public.memo select ('00000000-0000-4000-8000-00000000000' || g)::uuid, '${ANN}', (case when g > 2 then '${ANN}' else '${BOB}' end)::uuid,
        'memo', now(), format('[1,%s,0]', g)::vector from generate_series(1, 3) g;
    select strata.add_source('post', 'public.post', 'id', 'author', 'title', '{}', 'v', 'tiny'),
        strata.add_source('page', 'public.page', 'slug', 'owner', 'title', '{}', 'v', 'tiny', text_search_config => 'english'),
        strata.add_source('memo', 'public.memo', 'id', 'user_id', 'title', '{}', 'v', 'tiny', organisation_column => 'org');
    ${policy("post", `author::text = ${sub}`)};
    ${policy("page", `owner = ${sub}`)};
    ${policy("memo", `user_id::text = ${sub}`)};`,
  );
  return {
    async [Symbol.asyncDispose]() {
      for (const name of SOURCES) await sql(`select strata.drop_source('${name}'); drop table public.${name}`);
      await kept[Symbol.asyncDispose]();
    },
  };
}

/** As the service, or as whoever has signed in as `sub`. */
async function search(body: Record<string, unknown>, sub?: string): Promise<Json> {
  const headers = sub && { authorization: `Bearer ${await user(sub)}`, apikey: keys.publishable };
  return await ask("POST", "search", { embedding: [1, 0, 0], ...body }, headers || undefined);
}

const ids = ({ status, body }: Json) => {
  equal(status, 200, JSON.stringify(body));
  return body.hits.map((hit: Json) => hit.entity_id);
};

Deno.test("rows are found whatever their keys are, of the caller's tenant and no other", async () => {
  await using _shapes = await shapes();
  equal(ids(await search({ entity_types: ["post"], user: "7" })), ["2", "4", "6"]);
  equal(ids(await search({ entity_types: ["post"] }, "8")), ["1", "3", "5"]);
  equal(ids(await search({ entity_types: ["page"] }, "user_0")), ["p/2", "p/4", "p/6"]);
  const memos = [1, 2, 3].map((number) => `00000000-0000-4000-8000-00000000000${number}`);
  equal(ids(await search({ entity_types: ["memo"] }, ANN)), memos, "and uuids as ever");
  equal(ids(await search({ entity_types: ["memo"], organisation: BOB }, ANN)), memos.slice(0, 2));
  equal(ids(await search({ entity_types: ["post", "page"], user: "7", match_count: 2 })), ["2", "4"]);
  equal(ids(await search({ entity_types: ["memo"] }, BOB)), []);
  const [hit] = (await search({ entity_types: ["memo"], match_count: 1 }, ANN)).body.hits;
  const names = ["entity_type", "entity_id", "title", "content", "similarity", "created_at", "metadata"];
  equal([Object.keys(hit), typeof hit.entity_id], [names, "string"], "the documents' columns");
  const refused: [Json, string | undefined, number, string][] = [
    [{ entity_types: ["page"], user: "user_1" }, "user_0", 403, "42501"],
    [{ entity_types: ["post"], user: "me" }, undefined, 400, "22P02"],
    [{ entity_types: ["post"], user: "7", organisation: ANN }, undefined, 409, "55000"],
    [{ entity_types: ["memo"], embedding_model: "other", user: ANN }, undefined, 400, "22000"],
    [{ entity_types: [], user: ANN }, undefined, 400, "22023"],
    [{ entity_types: ["post", "nothing"], user: "7" }, undefined, 404, "42704"],
    [{ entity_types: ["nothing"], user: "7", embedding: undefined, query: "x" }, undefined, 404, "42704"],
    [{ user: "7", embedding: undefined, query: "x", embedding_model: "tiny" }, undefined, 400, "22023"],
  ];
  for (const [body, sub, status, code] of refused) {
    const answer = await search(body, sub);
    equal([answer.status, answer.body.code], [status, code], JSON.stringify([body, answer.body]));
  }
});

Deno.test("a row without an embedding is found by its words", async () => {
  await using _shapes = await shapes();
  await using openai = provider(good);
  const asked = { query: "armadillo", embedding: undefined, entity_types: ["page"], text_weight: 0.9, match_count: 1 };
  const found = await search(asked, "user_1");
  equal(ids(found), ["p/new"]);
  equal(found.body.hits[0].similarity, null);
  equal([openai.asked.length, openai.asked[0].body.model], [1, "tiny"]);
});

Deno.test("a text is embedded with the model that its sources are searched by, while that is changed too", async () => {
  await using _notes = await notes(
    3,
    `update public.note set user_id = '${ANN}'; select strata.add_model('small', 'openai', 3)`,
  );
  const asked = async () => {
    await using openai = provider(good);
    const found = await search({
      query: "note 2",
      embedding: undefined,
      entity_types: ["note"],
      user: ANN,
      match_count: 1,
    });
    return [openai.asked.map(({ body }) => body.model), found.body.hits?.map((hit: Json) => hit.content), found.status];
  };
  const embed = async () => {
    await using _openai = provider(good);
    equal((await ask("POST", "embed", { wait: 60 })).body.left.ripe, 0);
  };
  await embed();
  equal(await asked(), [["tiny"], ["note 2"], 200]);
  await sql(`select strata.start_model_change('tiny', 'small');
    do $$ begin loop exit when (strata.continue_model_change('small')).done; end loop; end $$`);
  try {
    equal(await asked(), [["tiny"], ["note 2"], 200]);
    await embed();
    equal(await asked(), [["tiny"], ["note 2"], 200], "until it is switched");
    await sql("select strata.switch_model('small')");
    equal(await asked(), [["small"], ["note 2"], 200]);
    const vector = { embedding: vectorOf("note 2"), entity_types: ["note"], user: ANN };
    const late = await search({ ...vector, embedding_model: "tiny" });
    equal([late.status, late.body.code], [400, "22000"], "vectors of the other model have the same dimension");
    truth(late.body.message.includes('"small"'), late.body.message);
    equal(ids(await search({ ...vector, embedding_model: "small", match_count: 1 })).length, 1);
    await sql("select strata.revert_model('small')");
    equal(await asked(), [["tiny"], ["note 2"], 200]);
  } finally {
    await sql("select strata.end_model_change('small'); select strata.drop_model('small')");
  }
});
