// The Aurum application goes through the nine phases of its pack: asked for, watched, embedded and signed by HTTP alone. Every
// version is held at its first definition until its progress has been seen both ways, so that none goes by unseen.

import { createClient } from "@supabase/supabase-js";
import { ask, equal, functions, keys, literal, pause, push, rested, sql, stack, truth, unique } from "./project.ts";
import { provider, vectorOf } from "./provider.ts";

const PACKS = Deno.env.get("STRATA_TEST_PACKS")!;

/** Of the pack's own model, text-embedding-3-small. */
export const DIMENSIONS = 1536;

/** Longest that a version may take to be seen. Unit: milliseconds. */
const PATIENCE = 60_000;

const EVENTS = { apikey: keys.secret, accept: "text/event-stream" };

// deno-lint-ignore no-explicit-any
type Json = any;

/** Definitions wait in the run of the pack until their version is let go. */
const HOLD = `
  create table public.let_go (version bigint primary key);
  create function public.hold() returns event_trigger language plpgsql security definer as $$
  declare
      at bigint;
  begin
      if current_setting('application_name') = 'strata run of aurum' then
          select s.version into at from strata.run_step s join strata.run r on r.id = s.run
          where r.pack = 'aurum' and s.state = 'running' order by s.started_at desc limit 1;
          while not exists (select from public.let_go g where g.version = at) loop
              perform pg_sleep(0.01);
          end loop;
      end if;
  end
  $$;
  create event trigger hold on ddl_command_start execute function public.hold()`;

const UNHOLD = "drop event trigger hold; drop function public.hold; drop table public.let_go";

/** The files of a folder that belong to a pack, and its manifest. */
function files(folder: string): [Record<string, string>, string] {
  const found: Record<string, string> = {};
  for (const { name } of Deno.readDirSync(folder)) {
    if (/^\d+.*\.sql$/.test(name)) found[name] = Deno.readTextFileSync(`${folder}/${name}`);
  }
  return [found, Deno.readTextFileSync(`${folder}/pack.toml`)];
}

/** What a run told by its events, as long as it goes on; connects again where a stream ends before that, as browsers do. */
function listen(run: string) {
  const told: Json[] = [];
  const ended = (async () => {
    for (;;) {
      const { body } = await fetch(`${functions}/runs/${run}`, { headers: EVENTS });
      let rest = "";
      for await (const part of body!.pipeThrough(new TextDecoderStream())) {
        const lines = (rest + part).split("\n");
        rest = lines.pop()!;
        for (const line of lines) if (line.startsWith("data: ")) told.push(JSON.parse(line.slice("data: ".length)));
        if (part.includes("event: error")) throw new Error(part);
      }
      if (!["queued", "running"].includes(told.at(-1)?.state)) return;
    }
  })();
  return { told, ended };
}

async function becomes(what: string, is: () => boolean | Promise<boolean>) {
  const began = Date.now();
  while (!await is()) {
    if (Date.now() - began > PATIENCE) throw new Error(`waited in vain: ${what}`);
    await pause(20);
  }
}

const page = async () => (await ask("GET", "packs/aurum")).body;

/** Watches these versions of a run go by, one after the other, and the run come to rest. `meanwhile`: what is written while the
 * last of them is held. */
async function watch(run: string, versions: number[], meanwhile = ""): Promise<Json> {
  const { told, ended } = listen(run);
  for (const version of versions) {
    let polled: Json;
    await becomes(`version ${version} by polling`, async () => {
      polled = (await ask("GET", `runs/${run}`)).body;
      return polled.version === version && polled.state === "running";
    });
    await becomes(`version ${version} by events`, () => told.some((event) => event.version === version));
    const event = told.find((event) => event.version === version);
    for (const seen of [polled, event]) {
      truth(seen.alive && seen.name && seen.step >= 1 && seen.steps >= seen.step && seen.summary, JSON.stringify(seen));
    }
    const { versions: all, phases } = await page();
    const { state, phase } = all.find((one: Json) => one.version === version);
    const { applied, versions: count } = phases.find((one: Json) => one.phase === phase);
    truth(state === "applying" && applied < count, `version ${version} is ${state}, ${applied} of ${count} applied`);
    const last = version === versions.at(-1);
    await sql(`${last ? meanwhile : ""}; insert into public.let_go values (${version})`);
  }
  await ended;
  const last = await rested(run);
  equal(told.at(-1).state, last.state);
  return last;
}

/** Queues what has no embedding by the project's API, and has the function embed it. */
async function embed(): Promise<number> {
  const pad = Array(DIMENSIONS - 3).fill(0);
  await using _openai = provider(({ body }) =>
    Response.json({ data: body.input.map((text, index) => ({ index, embedding: [...vectorOf(text), ...pad] })) })
  );
  const quiet = { auth: { persistSession: false, autoRefreshToken: false } };
  const service = createClient(stack.url, keys.secret, quiet).schema("strata");
  const sources = await service.from("source").select("entity_type");
  equal(sources.error, null);
  for (const { entity_type } of sources.data!) {
    for (let after = null, last = true; last;) {
      const queued = await service.rpc("enqueue_missing", { entity_type, after, max: 1000 }).single() as Json;
      equal(queued.error, null, entity_type);
      after = queued.data.last;
      last = after !== null;
    }
  }
  for (let stored = 0;;) {
    const { status, body } = await ask("POST", "embed", { wait: 30 });
    equal([status, body.failed, body.error], [200, 0, null], JSON.stringify(body));
    stored += body.stored;
    if (body.left.ripe + body.left.later + body.left.leased === 0) return stored;
  }
}

/** A run that rests in front of a phase, for these reasons. */
async function waits(found: Json, phase: number, open: string[]) {
  equal(found.state, "waiting", JSON.stringify(found));
  const { phases, checklist, refused } = await page();
  const shut = checklist.filter((item: Json) => item.state === "open" && item.phase === phase);
  equal(shut.map((item: Json) => item.item), open, JSON.stringify(checklist));
  equal(phases.find((one: Json) => one.gate === "open").phase, phase, JSON.stringify(phases));
  const before = phases.filter((one: Json) => one.phase < phase);
  equal([before.length, before.every((one: Json) => one.applied === one.versions)], [phase - 1, true]);
  truth(refused === null || refused.code === "ST009", JSON.stringify(refused));
}

async function resume(run: string) {
  const { status, body } = await ask("POST", `runs/${run}/resume`);
  equal([status, body], [202, { run }], JSON.stringify(body));
}

async function sign(item: string, more: Record<string, unknown>, status: number) {
  const signed = await ask("POST", "sign-off", { pack: "aurum", item, reason: "a test", ...more });
  equal(signed.status, status, JSON.stringify(signed.body));
}

/** From the application as it was to its contract, in one run. */
export async function phases() {
  for (const name of ["baseline", "data"]) {
    await sql(Deno.readTextFileSync(`${PACKS}/aurum/app/${name}.sql`));
  }
  await push("aurum", ...files(`${PACKS}/aurum`));
  await sql(HOLD);
  const headers = { apikey: keys.secret, "idempotency-key": unique("aurum") };
  const start = async () => await ask("POST", "migrate", { pack: "aurum" }, headers);
  const started = await start();
  equal(started.status, 202, JSON.stringify(started.body));
  const { run } = started.body;

  await waits(await watch(run, [1, 2, 3, 4, 5, 6]), 4, ["4.embedded"]);
  truth(await embed() > 50, "the rows of the application are embedded");
  await resume(run);
  // What is written is on its way for a minute; without its job it is not.
  const written = `insert into public.journal_entries (user_id, content) select id, 'Meanwhile' from auth.users limit 1;
    delete from strata.job`;
  await waits(await watch(run, [7, 8, 9, 10, 11], written), 8, ["8.embedded"]);
  equal(await embed(), 1, "what has come meanwhile");
  await resume(run);
  await waits(await watch(run, []), 9, ["9.signed", "9.backup_restored", "9.old_application_gone"]);
  const { phases } = await page();
  equal(phases.map(({ gate }: Json) => gate), [..."none none none passed none none none passed open".split(" ")]);

  await sign("9.backup_restored", {}, 400);
  await sign("9.backup_restored", { evidence: { dump: "of a test" } }, 201);
  await sign("9.signed", {}, 201);
  await resume(run);
  await waits(await watch(run, []), 9, ["9.old_application_gone"]);
  await sign("9.old_application_gone", {}, 201);
  await resume(run);
  const last = await watch(run, [12]);
  equal([last.state, last.message], ["succeeded", null], JSON.stringify(last));
  equal((await start()).body, { run }, "one request is one run");
  await sql(UNHOLD);
  const done = await page();
  equal(done.versions.map(({ state }: Json) => state), Array(12).fill("applied"));
  equal(done.checklist.filter(({ state, phase }: Json) => state === "open" && phase !== null), []);
  equal(await sql(`select count(*) from strata.run where pack = ${literal("aurum")}`), "1");
  const verified = await ask("POST", "verify", { pack: "aurum" });
  equal([verified.status, verified.body.ok], [200, true], JSON.stringify(verified.body).slice(0, 500));
  truth(verified.body.checks.length > 20, "every check is told");
}
