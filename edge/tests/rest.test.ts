// The worker and `strata embed` through the project's REST (PostgREST) with a secret key, where only HTTP is open.

import { equal, keys, pause, sql, stack, truth, until } from "./project.ts";
import { notes, queue, right } from "./notes.ts";
import { environment, good, provider, refuse } from "./provider.ts";

type Done = { code: number; stdout: string; stderr: string };

const BIN = Deno.env.get("STRATA_TEST_BIN")!;
const ENV = { ...environment, STRATA_SECRET_KEY: keys.secret };

async function command(args: string[], env: Record<string, string> = ENV): Promise<Done> {
  const options = { args, env, clearEnv: true, stdin: "null" } as const;
  const { code, stdout, stderr } = await new Deno.Command(BIN, options).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  const done = { code, stdout: decode(stdout), stderr: decode(stderr) };
  truth(!JSON.stringify(done).includes(keys.secret), "the key is shown to nobody");
  return done;
}

const rest = (url = stack.url) => ["--rest", url];

/** A worker that stays until it is told to stop; its exit code and what it said. */
function worker(...more: string[]) {
  const args = ["worker", ...rest(), "--poll", "1", ...more];
  // Longer than a call that is under way may go on when it is told to stop.
  const env = { ...ENV, STRATA_PROVIDER_TIMEOUT: "30" };
  const options = { args, env, clearEnv: true, stdin: "null", stdout: "piped", stderr: "piped" } as const;
  const child = new Deno.Command(BIN, options).spawn();
  const ended = child.output();
  const end = async (signal: Deno.Signal) => {
    child.kill(signal);
    const { code, stderr } = await ended;
    return { code, stderr: new TextDecoder().decode(stderr) };
  };
  return { end, pid: child.pid };
}

/** The project behind something that answers in its place as long as it is told to. */
function doubtful(instead: (path: string, number: number) => Response | undefined) {
  let asked = 0;
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname, search } = new URL(request.url);
    const body = await request.arrayBuffer();
    const answer = instead(pathname, asked++);
    if (answer) return answer;
    const { method } = request;
    const headers = new Headers(request.headers);
    headers.delete("host");
    const passed = await fetch(stack.url + pathname + search, {
      method,
      headers,
      body: method === "GET" ? null : body,
    });
    return new Response(await passed.arrayBuffer(), { status: passed.status, headers: passed.headers });
  });
  return { url: `http://127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** No transaction of the API's is open. */
const NOBODY = `select not exists (select from pg_stat_activity
  where usename = 'authenticator' and xact_start is not null and state <> 'idle')`;

Deno.test("a worker through REST embeds every row, a hundred a call, and ends", async () => {
  await using _notes = await notes(250);
  await using openai = provider(good);
  const done = await command(["worker", "--once", ...rest(), "--json"]);
  equal(done.code, 0, done.stderr);
  const { embedded, stale, failed, calls, left, dead } = JSON.parse(done.stdout);
  equal([embedded, stale, failed, calls, left, dead], [250, 0, 0, 3, 0, 0]);
  equal([await right(), await queue()], [250, "empty"]);
  const sizes = openai.asked.map(({ body }) => body.input.length).sort((a, b) => b - a);
  equal([sizes, openai.asked[0].key], [[100, 100, 50], "Bearer provider-key"]);
  equal((await command(["worker", "--once", ...rest(`${stack.url}/rest/v1/`), "--only", "embeddings"])).code, 0);
});

Deno.test("a worker through REST that stays embeds what is written, and gives back what it holds when it is stopped", async () => {
  await using _notes = await notes(3);
  let release = () => {};
  let stalled = () => {};
  const reached = new Promise<void>((then) => stalled = then);
  const released = new Promise<void>((then) => release = then);
  await using _openai = provider(async (asked, number) => {
    if (asked.body.input.includes("late")) {
      stalled();
      await released;
    }
    return await good(asked, number);
  });
  const { end } = worker();
  await until("select count(*) = 3 from public.note where embedding is not null");
  await sql("insert into public.note (body) values ('one more')");
  await until("select count(*) = 4 from public.note where embedding is not null");
  await sql("insert into public.note (body) values ('late')");
  await reached;
  equal(await sql(NOBODY), "t", "no transaction is open while the provider works");
  const ended = end("SIGTERM");
  await until("select state = 'queued' from strata.job where model = 'tiny'");
  const { code, stderr } = await ended;
  release();
  equal([code, await queue(), await right()], [0, "queued 0: 1", 4], stderr);
});

Deno.test("what a worker through REST had that was killed is free when its lease is over", async () => {
  await using _notes = await notes(8);
  let stalled = () => {};
  const reached = new Promise<void>((then) => stalled = then);
  let release = () => {};
  const released = new Promise<void>((then) => release = then);
  {
    await using _openai = provider(async (asked, number) => {
      stalled();
      await released;
      return await good(asked, number);
    });
    const { end } = worker();
    await reached;
    await end("SIGKILL");
    release();
  }
  equal(await queue(), "leased 0: 8");
  const lease = "select bool_and(lease_until - updated_at > interval '4 min' and session_pid is null) from strata.job";
  equal(await sql(`${lease} where model = 'tiny'`), "t");
  await using _openai = provider(good);
  const others = await command(["embed", ...rest()]);
  equal([others.code, others.stderr.includes("8 rows are held by another worker")], [3, true], others.stderr);
  await sql("update strata.job set lease_until = clock_timestamp() where model = 'tiny'");
  await pause(10);
  equal((await command(["embed", ...rest()])).code, 0);
  equal([await right(), await queue()], [8, "empty"]);
});

Deno.test("workers through REST and over a connection share the queue, and no text is embedded twice", async () => {
  await using _notes = await notes(120);
  await using openai = provider(async (asked, number) => {
    await pause(20);
    return await good(asked, number);
  });
  const once = ["worker", "--once", "--only", "embeddings", "--batch", "7"];
  const ways = [rest(), rest(), ["--database", stack.database]];
  const done = await Promise.all(ways.map((way) => command([...once, ...way])));
  equal(done.map(({ code }) => code), [0, 0, 0], done.map(({ stderr }) => stderr).join("\n"));
  const texts = openai.asked.flatMap(({ body }) => body.input);
  equal([texts.length, new Set(texts).size, await right()], [120, 120, 120]);
});

Deno.test("a row that changes while a worker through REST has it embedded gets the vector of the new text", async () => {
  await using _notes = await notes(1);
  await using openai = provider(async (asked, number) => {
    if (number === 0) await sql("update public.note set body = 'another'");
    return await good(asked, number);
  });
  const done = JSON.parse((await command(["worker", "--once", ...rest(), "--json"])).stdout);
  equal([done.embedded, done.stale, await right(), openai.asked.length], [1, 1, 1, 2]);
});

Deno.test("an API that is away for a while, or loses an answer, costs time and no row", async () => {
  await using _notes = await notes(5);
  await using openai = provider(good);
  const away = new Response("<html>", { status: 503 });
  let lost = 0;
  await using project = doubtful((path, number) => {
    if (number < 2) return away.clone();
    // Answered by nobody the first two times, as behind a gateway that restarts.
    if (path.endsWith("/complete_jobs") && lost++ < 2) return away.clone();
  });
  const args = ["worker", ...rest(project.url), "--poll", "1"];
  const child = new Deno.Command(BIN, { args, env: ENV, clearEnv: true, stdin: "null", stdout: "null", stderr: "null" })
    .spawn();
  await until("select count(*) = 5 from public.note where embedding is not null");
  child.kill("SIGTERM");
  equal([(await child.status).code, await right(), await queue(), openai.asked.length, lost], [0, 5, "empty", 1, 3]);
});

Deno.test("what fails at the provider is what it is over a connection", async () => {
  await using _notes = await notes(40, "update public.note set body = 'poison' where body = 'note 17'");
  {
    await using _openai = provider((asked, number) =>
      asked.body.input.includes("poison") ? refuse(400) : good(asked, number)
    );
    const done = await command(["embed", ...rest()]);
    equal([done.code, await right(), await queue()], [23, 39, "dead 1: 1"], done.stderr);
  }
  await sql(`update public.note set embedding = null, body = 'note 17' where body = 'poison';
    create table public.other (like public.note including all); grant select, update on public.other to service_role;
    select strata.add_model('small', 'openai', 3);
    select strata.add_source('other', 'public.other', 'id', 'user_id', null, array['body'], 'embedding', 'small')`);
  try {
    await using _openai = provider(() => refuse(401));
    const refused = await command(["embed", ...rest()]);
    equal([refused.code, await queue()], [23, "queued 0: 1"], "although another model has nothing to complain of");
    truth(refused.stderr.includes("answered 401"), refused.stderr);
  } finally {
    await sql("select strata.drop_source('other'); drop table public.other; select strata.drop_model('small')");
  }
});

Deno.test("rows are embedded through REST into a store, and again, whatever their keys are", async () => {
  await using _notes = await notes(0);
  await using openai = provider(good);
  await sql(
    `create table public.page (slug text primary key, user_id uuid not null default gen_random_uuid(), body text,
      embedded_at timestamptz, created_at timestamptz not null default now());
    insert into public.page (slug, body) select 'p/' || g, 'page ' || g from generate_series(1, 120) g;
    grant select, update on public.page to service_role;
    select strata.add_source('page', 'public.page', 'slug', 'user_id', null, array['body'], null, 'tiny',
      embedded_at_column => 'embedded_at', store => 'halfvec')`,
  );
  try {
    const kept = "select count(*) || ' ' || count(distinct entity_key) from strata_vectors.tiny";
    const first = await command(["embed", ...rest()]);
    equal([first.code, await sql(kept), await queue()], [0, "120 120", "empty"], first.stderr);
    await sql("delete from public.page where slug < 'p/2'; update public.page set slug = 'other' where slug = 'p/20'");
    const again = await command(["reindex", "--types", "page", ...rest()]);
    const left = await sql("select count(*) || ' ' || count(*) from public.page");
    equal([again.code, await sql(kept), await queue()], [0, left, "empty"], again.stderr);
    const texts = openai.asked.flatMap(({ body }) => body.input);
    equal(texts.length, 120 + Number(left.split(" ")[0]));
  } finally {
    await sql("select strata.drop_source('page'); drop table public.page");
  }
});

Deno.test("rows without a job are queued through REST, and rows are embedded again", async () => {
  await using _notes = await notes(30, "delete from strata.job where model = 'tiny'");
  await using openai = provider(good);
  const done = await command(["embed", ...rest(), "--json"]);
  equal([done.code, JSON.parse(done.stdout).embedded, await right()], [0, 30, 30], done.stderr);
  truth(done.stderr.includes(`30 rows have no embedding and are queued on ${stack.url}/rest/v1`), done.stderr);
  const again = await command(["reindex", "--types", "note", ...rest(), "--json"]);
  equal([again.code, JSON.parse(again.stdout).embedded, openai.asked.length], [0, 30, 2], again.stderr);
  const other = await command(["reindex", "--types", "nothing", ...rest()]);
  equal(other.code, 24, other.stderr);
});

Deno.test("long texts go in parts, and a model that is changed to is filled, through REST", async () => {
  await using _notes = await notes(
    2,
    `alter table public.note add embedded_at timestamptz;
    select strata.drop_source('note');
    select strata.add_source('note', 'public.note', 'id', 'user_id', null, array['body'], null, 'tiny', embedded_at_column => 'embedded_at', store => 'vector');
    select strata.set_chunking('note', tokens => 5, overlap => 0), strata.add_model('small', 'openai', 3);
    update public.note set body = 'one two. three four. five six.' where body = 'note 1';
    grant update on public.note to service_role`,
  );
  await using openai = provider(good);
  equal((await command(["embed", ...rest()])).code, 0);
  equal(openai.asked.flatMap(({ body }) => body.input).sort(), ["five six.", "note 2", "one two.", "three four."]);
  await sql("select strata.start_model_change('tiny', 'small')");
  try {
    const done = await command(["worker", "--once", ...rest(), "--json"]);
    equal([done.code, JSON.parse(done.stdout).embedded], [0, 2], done.stderr);
    equal(await sql("select missing from strata.switch_model('small')"), "0");
    await sql("select strata.revert_model('small')");
  } finally {
    await sql("select strata.end_model_change('small'); select strata.drop_model('small')");
  }
});

Deno.test("metrics tell of a worker through REST, and whether the API answers", async () => {
  await using _notes = await notes(4);
  await using _openai = provider(good);
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  const { end } = worker("--metrics", `127.0.0.1:${port}`);
  await until("select count(*) = 4 from public.note where embedding is not null");
  const page = async (name: string) => await (await fetch(`http://127.0.0.1:${port}/${name}`)).text();
  truth((await page("metrics")).includes('strata_embedded_total{model="tiny"} 4\n'), "counted");
  equal(await page("health"), "ok\n");
  equal((await end("SIGINT")).code, 0);
});

Deno.test("what cannot be is refused, and the key is never on a command line", async () => {
  await using nobody = doubtful(() => new Response("<html>"));
  const user = { ...ENV, STRATA_SECRET_KEY: keys.publishable };
  const cases: [string[], Record<string, string>, number, string][] = [
    [["worker", "--once", ...rest()], environment, 20, "STRATA_SECRET_KEY is not set"],
    [["worker", ...rest()], { ...ENV, STRATA_SECRET_KEY: "sb_secret_x" }, 20, "does not accept the key"],
    [["worker", ...rest()], user, 26, "permission denied"],
    [["embed", ...rest()], user, 26, "strata.grant_embedding('service_role')"],
    [["worker", "--once", ...rest("http://127.0.0.1:9")], ENV, 10, "cannot reach http://127.0.0.1:9/rest/v1"],
    [["embed", ...rest(nobody.url)], ENV, 10, "answered and not as PostgREST does"],
    [["embed", ...rest(`${stack.url}/nothing`)], ENV, 10, "answered"],
    [["worker", ...rest("strata")], ENV, 2, "--rest"],
    [["worker", "--only", "runs", ...rest()], ENV, 2, "runs need a connection"],
    [["worker", "--database", stack.database, ...rest()], ENV, 2, "--rest cannot be used with --database"],
    [["embed", "--via", stack.url, ...rest()], ENV, 2, "--rest cannot be used with"],
    [["up", ...rest()], ENV, 2, "unexpected argument '--rest'"],
  ];
  for (const [args, env, code, part] of cases) {
    const done = await command(args, env);
    equal(done.code, code, `${args.join(" ")}\n${done.stderr}`);
    truth(done.stderr.includes(part), done.stderr);
  }
});
