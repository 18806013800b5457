// The command line through the function: the same results, messages and exit codes as over a connection. Each of two packs of
// the same files goes one of the ways.

import { equal, functions, keys, literal, push, sql, stack, truth, unique, until } from "./project.ts";
import { notes, right } from "./notes.ts";
import { environment, good, provider, refuse } from "./provider.ts";

type Done = { code: number; stdout: string; stderr: string };

async function command(args: string[], environment: Record<string, string> = {}): Promise<Done> {
  const bin = Deno.env.get("STRATA_TEST_BIN")!;
  const env = { PATH: Deno.env.get("PATH")!, ...environment };
  const { code, stdout, stderr } = await new Deno.Command(bin, { args, env, clearEnv: true, stdin: "null" }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes).trim();
  return { code, stdout: decode(stdout), stderr: decode(stderr) };
}

const via = (...args: string[]) => command(["--via", functions, ...args], { STRATA_SECRET_KEY: keys.secret });

/** Two packs of the same files: one in the database for the function, one in a folder for a connection. */
async function twins(files: Record<string, string>, manifest: string | null = null) {
  const [here, there] = [unique("here"), unique("there")];
  const own = (name: string) =>
    Object.fromEntries(
      Object.entries(files).map(([file, text]) => [file, text.replaceAll("$own", name.replace("-", "_"))]),
    );
  const named = (name: string) => manifest && `name = "${name}"\n${manifest}`;
  await push(there, own(there), named(there));
  const folder = `${await Deno.makeTempDir()}/${here}`;
  await Deno.mkdir(folder);
  for (const [file, text] of Object.entries(own(here))) await Deno.writeTextFile(`${folder}/${file}`, text);
  if (manifest) await Deno.writeTextFile(`${folder}/pack.toml`, named(here)!);
  const placeless = (text: string) => text.replaceAll(/, \d+_\w+\.up\.sql line \d+/g, "");
  const plain = (text: string) =>
    text.replaceAll(there, here).replaceAll(there.replace("-", "_"), here.replace("-", "_"));
  /** Runs both ways; fails where they differ in code, result or the line of an error, but for the file, which the database does not name. */
  const same = async (...args: string[]): Promise<Done> => {
    const native = await command(["--database", stack.database, "--path", folder, ...args]);
    const through = await via("--pack", there, ...args);
    const last = (text: string) =>
      plain(text).split("\n").filter((line) => line.startsWith("error: ")).map(placeless).join("\n");
    const what = `${args.join(" ")}\n${native.stderr}\n${through.stderr}`;
    const times = (text: string) =>
      text.replaceAll(/ +/g, " ").replaceAll(/ (ok|FAILED) \d+/g, " $1 MS").replaceAll(
        /\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ \d+/g,
        "T",
      ).replaceAll(
        /\d+ 22012/g,
        "22012",
      ).replaceAll(/\brun [0-9a-f-]{36}/g, "run ID");
    equal([through.code, last(through.stderr)], [native.code, last(native.stderr)], what);
    equal(times(plain(through.stdout)), times(native.stdout), what);
    return through;
  };
  return { same, pack: there };
}

const FILES = {
  "001_a.up.sql": "create table via_$own (x int)",
  "001_a.down.sql": "drop table via_$own",
  "001_a.verify.sql": "select 'rows', '0', count(*)::text, count(*) = 0 from via_$own",
  "002_b.up.sql": "alter table via_$own add y int",
  "002_b.down.sql": "alter table via_$own drop y",
  "003_c.up.sql": "create index on via_$own (x)",
  "003_c.down.sql": "drop index via_$own_x_idx",
};

Deno.test("a pack goes up and down through the function as over a connection", async () => {
  const { same } = await twins(FILES);
  equal((await same("up", "1")).stdout, "1 version applied");
  equal((await same("version")).stdout, "1");
  await same("status");
  equal((await same("status", "--exit-code")).code, 3);
  equal((await same("verify")).stdout, "1 check ok");
  const short = await same("up", "5");
  equal([short.code, short.stdout], [1, "2 versions applied"]);
  truth(short.stderr.includes("error: limit 3 short"), short.stderr);
  equal((await same("up")).stdout, "no change");
  equal((await same("up", "2")).stdout, "no change");
  equal((await same("status", "--exit-code")).code, 0);
  equal((await same("down")).stdout, "1 version taken back");
  equal((await same("goto", "1")).stdout, "1 version taken back");
  equal((await same("goto", "3")).stdout, "2 versions applied");
  equal((await same("down", "--all")).code, 11);
  equal((await same("down", "--all", "--yes")).stdout, "3 versions taken back");
  equal((await same("down", "--all", "--yes")).stdout, "no change");
  equal((await same("version")).stdout, "none");
  equal((await same("version", "--strict")).code, 1);
});

Deno.test("a dry run through the function finds what one over a connection finds, and changes nothing", async () => {
  const { same, pack } = await twins(FILES);
  const tried = await same("up", "--dry-run");
  truth(
    tried.stdout.endsWith("dry run: 3 versions would be applied; all 3 steps passed; nothing was changed"),
    tried.stdout,
  );
  await same("up", "1", "--dry-run");
  equal((await same("version")).stdout, "none");
  equal(await sql(`select count(*) from strata.run where pack = ${literal(pack)}`), "0");
  await same("up", "2");
  await same("down", "--dry-run");
  await same("down", "--all", "--dry-run");
  await same("goto", "1", "--dry-run");
  await same("goto", "3", "--dry-run");
  equal((await same("version")).stdout, "2");
  await same("up");
  equal((await same("up", "--dry-run")).stdout, "no change");
  const json = JSON.parse((await via("--pack", pack, "down", "2", "--dry-run", "--json")).stdout);
  equal([json.pack, json.direction, json.would_pass, json.schema], [pack, "down", true, 1]);
});

Deno.test("a dry run through the function fails as one over a connection, and says what it could not try", async () => {
  const { same, pack } = await twins({ ...FILES, "002_b.up.sql": "alter table via_$own add y int;\nselect 1 / 0" });
  const failed = await same("up", "--dry-run");
  equal(failed.code, 1, failed.stderr);
  truth(failed.stdout.includes("FAILED") && failed.stderr.includes("division by zero"), failed.stdout);
  equal((await same("version")).stdout, "none");
  await push(pack, { "001_a.up.sql": "do $$ begin commit; end $$" });
  const untried = await via("--pack", pack, "up", "--dry-run");
  equal(untried.code, 29, untried.stderr);
  truth(untried.stdout.includes("it commits by itself"), untried.stdout);
  const { code, stderr } = await via("--pack", pack, "up", "--dry-run", "--give-way", "50");
  truth(code === 2 && stderr.includes("how considerate a dry run is needs a connection"), stderr);
});

Deno.test("an interrupt ends a dry run", async () => {
  const pack = unique("interrupted");
  await push(pack, { "001_a.up.sql": "create table via_tried (); select pg_sleep(60)" });
  const env = { STRATA_SECRET_KEY: keys.secret };
  const args = ["--via", functions, "--pack", pack, "up", "--dry-run"];
  const child = new Deno.Command(Deno.env.get("STRATA_TEST_BIN")!, { args, env, stdout: "null", stderr: "null" })
    .spawn();
  await until("select exists (select from pg_stat_activity where wait_event = 'PgSleep')");
  child.kill("SIGINT");
  equal((await child.status).code, 130);
  await until(`select state = 'failed' from strata.dry_run where pack = ${literal(pack)}`);
});

Deno.test("a search through the function finds what one over a connection finds", async () => {
  await using _notes = await notes(8, "update public.note set user_id = '00000000-0000-4000-8000-000000000007'");
  await using openai = provider(good);
  await via("embed");
  const [user, types] = [["--user", "00000000-0000-4000-8000-000000000007"], ["--types", "note"]];
  const both = async (...args: string[]) => {
    const native = await command(["--database", stack.database, ...args], environment);
    const through = await via(...args);
    // A number that was JSON on its way may differ in its last digit.
    const [here, there] = [native, through].map(({ stdout }) => stdout.replaceAll(/(\.\d{12})\d+/g, "$1"));
    equal([through.code, there], [native.code, here], `${native.stderr}\n${through.stderr}`);
    // Details come by one way only.
    equal(through.stderr.split("; ")[0], native.stderr.split("; ")[0]);
    return through;
  };
  const found = await both("search", "note 3", ...user, ...types, "-k", "2");
  truth(/^SIMILARITY.*\n 1\.000 .* note 3\n/.test(found.stdout), found.stdout);
  await both("search", "note 3", ...user, ...types, "--json");
  equal((await both("search", "note 3", ...types)).code, 2, "whose rows?");
  equal((await both("search", "note 3", ...user, "--types", "nothing")).code, 24);
  equal((await both("search", "note 3", ...user, ...types, "-k", "0")).code, 2);
  equal((await both("search", "note 3", ...user, ...types, "--text-weight", "0.5")).code, 2, "no source has words");
  equal((await both("search", "note 3", "--user", crypto.randomUUID(), ...types)).stdout.slice(0, 7), "no hits");
  equal((await both("search", " ", ...user)).code, 2);
  await sql(
    "select strata.set_text_search('note', 'english'); insert into public.note (user_id, body) values ('00000000-0000-4000-8000-000000000007', 'an armadillo')",
  );
  const words = await both("search", "armadillo", ...user, ...types, "-k", "2");
  truth(words.stdout.includes("an armadillo"), words.stdout);
  truth(openai.asked.length > 0, "the provider was asked");
});

Deno.test("a failure is the same failure", async () => {
  const files = { ...FILES, "002_b.up.sql": "alter table via_$own add y int;\nselect 1 / 0" };
  const { same, pack } = await twins(files);
  const failed = await same("up");
  equal(failed.code, 1);
  truth(failed.stderr.includes("division by zero"), failed.stderr);
  await same("status");
  const json = await via("--pack", pack, "up", "--json");
  const { error } = JSON.parse(json.stdout);
  equal([json.code, error.code, error.exit], [1, "22012", 1]);
});

Deno.test("a verification that finds something else is the same", async () => {
  const { same, pack } = await twins(FILES);
  await same("up");
  await sql(`insert into via_${pack.replace("-", "_")} values (1)`);
  const found = await via("--pack", pack, "verify");
  equal(found.code, 4);
  truth(/rows +0 +1/.test(found.stdout), found.stdout);
});

Deno.test("a gate is not met until its item is signed", async () => {
  const manifest = `title = "Gate"\n[[phase]]\nnumber = 1\nname = "One"\nmigrations = [1]\n` +
    `[[phase]]\nnumber = 2\nname = "Two"\nmigrations = [2, 3]\n[phase.sign]\nready = "everybody knows"\n`;
  const { same, pack } = await twins(FILES, manifest);
  const shut = await same("up");
  equal(shut.code, 9, shut.stderr);
  await same("checklist");
  equal((await same("sign-off", "2.none", "--reason", "x")).code, 24);
  equal((await same("sign-off", "2.ready", "--reason", "x", "--withdraw")).code, 2, "it is not signed");
  equal((await same("sign-off", "2.ready", "--reason", "too early")).stdout, "2.ready is signed");
  equal((await same("sign-off", "2.ready", "--reason", "it was", "--withdraw")).stdout, "2.ready is withdrawn");
  equal((await via("--pack", pack, "up")).code, 9, "the gate is shut again");
  equal((await same("sign-off", "2.none", "--reason", "x", "--withdraw")).code, 24);
  equal((await same("sign-off", "2.ready", "--reason", "told everybody")).stdout, "2.ready is signed");
  equal((await same("up", "--to-phase", "2")).stdout, "2 versions applied");
  const signers = `select string_agg(action || ' ' || signer, ', ' order by id) from strata.signature where pack = ${
    literal(pack)
  }`;
  const key = "authenticator/service_role";
  equal(await sql(signers), `signed ${key}, withdrawn ${key}, signed ${key}`);
});

Deno.test("an interrupt cancels the run", async () => {
  const pack = unique("interrupted");
  await push(pack, { "001_a.up.sql": "select pg_sleep(60)" });
  const env = { STRATA_SECRET_KEY: keys.secret };
  const args = ["--via", functions, "--pack", pack, "up"];
  const child = new Deno.Command(Deno.env.get("STRATA_TEST_BIN")!, { args, env, stdout: "null", stderr: "null" })
    .spawn();
  await until(`select exists (select from pg_stat_activity
    where wait_event = 'PgSleep' and application_name = 'strata run of ${pack}')`);
  child.kill("SIGINT");
  equal((await child.status).code, 130);
  equal(await sql(`select state from strata.run where pack = ${literal(pack)}`), "cancelled");
});

Deno.test("embeddings are drained through it", async () => {
  await using _notes = await notes(30);
  {
    await using _openai = provider(good);
    const done = await via("embed", "--json");
    // Models of other tests that cannot be asked from here are told of, in the end.
    equal([JSON.parse(done.stdout).embedded, await right()], [30, 30], done.stderr);
  }
  await sql("update public.note set embedding = null");
  await using _openai = provider(() => refuse(401));
  equal((await via("embed")).code, 23);
});

Deno.test("what cannot be is refused as ever", async () => {
  const pack = unique("none");
  const secret = { STRATA_SECRET_KEY: keys.secret };
  const cases: [string[], Record<string, string>, number, string][] = [
    [["status", "--pack", pack, "--via", functions], secret, 15, `pack "${pack}" is not known here`],
    [["status", "--pack", pack, "--via", functions], {}, 20, "STRATA_SECRET_KEY is not set"],
    [
      ["status", "--pack", pack, "--via", functions],
      { STRATA_SECRET_KEY: "sb_secret_x" },
      20,
      "not one of this project",
    ],
    [
      ["status", "--pack", pack, "--via", functions],
      { SUPABASE_SECRET_KEY: keys.publishable },
      20,
      "a secret key is missing",
    ],
    [["status", "--pack", pack, "--via", "http://127.0.0.1:9/functions/v1/strata"], secret, 10, "cannot reach"],
    [["status", "--pack", pack, "--via", stack.url], secret, 10, "not as the function does"],
    [["status", "--pack", pack, "--via", `${functions}/nothing`], secret, 2, "there is no route"],
    [["status", "--pack", pack, "--via", "strata"], secret, 2, "--via"],
    [["push", "--via", functions], secret, 2, "push needs a connection to the database; --via does up, "],
    [["finalize", "--yes", "--via", functions], secret, 2, "finalize needs a connection"],
    [["worker", "--once", "--via", functions], secret, 2, "worker needs a connection"],
    [["reindex", "--via", functions], secret, 2, "reindex needs a connection"],
    [["model", "status", "--via", functions], secret, 2, "model needs a connection"],
    [["locks", "--via", functions], secret, 2, "locks needs a connection"],
    [["eval", "x", "--via", functions], secret, 2, "eval needs a connection"],
    [["force", "1", "--via", functions], secret, 2, "force needs a connection"],
    [["drop", "--force", "--via", functions], secret, 2, "drop needs a connection"],
    [["create", "x", "--via", functions], secret, 2, "create asks no function; leave --via out"],
    [["undo", "--via", functions], secret, 2, "unrecognized subcommand 'undo'"],
    [["up", "--pack", pack, "--index-wait", "5", "--via", functions], secret, 2, "needs a connection"],
    [["up", "--database", stack.database, "--via", functions], secret, 2, "cannot be used with"],
  ];
  for (const [args, env, code, part] of cases) {
    const done = await command(args, env);
    equal(done.code, code, `${args.join(" ")}\n${done.stderr}`);
    truth(done.stderr.includes(part) && !done.stderr.includes(keys.secret), done.stderr);
  }
});
