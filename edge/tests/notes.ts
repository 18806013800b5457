// A table of notes that the provider of the tests embeds.

import { equal, sql } from "./project.ts";
import { vectorOf } from "./provider.ts";

/** A table of notes with a model of three dimensions, as long as the test takes. */
export async function notes(count: number, more = "") {
  await clear();
  await sql(`
    create table public.note (id uuid primary key default gen_random_uuid(), user_id uuid not null default gen_random_uuid(),
      body text, embedding vector(3), created_at timestamptz not null default now());
    alter table public.note enable row level security;
    grant select, update on public.note to service_role;
    select strata.add_model('tiny', 'openai', 3);
    select strata.add_source('note', 'public.note', 'id', 'user_id', null, array['body'], 'embedding', 'tiny');
    insert into public.note (body) select 'note ' || g from generate_series(1, ${count}) g;
    ${more}`);
  return { [Symbol.asyncDispose]: clear };
}

export async function clear() {
  await sql(`
    select strata.drop_source('note') where exists (select from strata.source where entity_type = 'note');
    drop table if exists public.note;
    select strata.drop_model('tiny') where exists (select from strata.model where name = 'tiny')`);
}

/** How many notes have the vector of their own text; one that has another fails. */
export async function right(): Promise<number> {
  const lines = await sql("select json_build_array(body, embedding) from public.note where embedding is not null");
  const rows: [string, string][] = lines.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  for (const [body, vector] of rows) equal(JSON.parse(vector), vectorOf(body), body);
  return rows.length;
}

/** The queue, by state and failures. */
export const queue = () =>
  sql(`select coalesce(string_agg(format('%s %s: %s', state, attempts, n), ', ' order by state, attempts), 'empty')
    from (select state, attempts, count(*) as n from strata.job where model = 'tiny' group by 1, 2) j`);
