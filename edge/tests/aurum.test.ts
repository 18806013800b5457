// An application goes through the eight phases of its pack, asked for and watched by HTTP alone.

import { ask, equal, functions, keys, push, run, sql, truth } from "./project.ts";

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

Deno.test("the eight phases of the Aurum pack, by HTTP", async () => {
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
});
