// The queue drained by a schedule. pg_cron, pg_net and Vault are stood in for: schemas with their tables and functions, as
// their own SQL declares them, for which the test does what their workers do. The crontab line of docs/schedule.md runs as it is.

import { equal, functions, keys, sql, truth, until } from "./project.ts";
import { clear, notes, queue, right } from "./notes.ts";
import { good, provider, refuse } from "./provider.ts";

const PARTS = `
  create schema cron;
  create table cron.job (jobid bigint generated always as identity primary key, schedule text not null, command text not null,
    username text not null default current_user, jobname text, unique (jobname, username));
  create function cron.schedule(job_name text, schedule text, command text) returns bigint language sql as $$
    insert into cron.job (schedule, command, jobname) values ($2, $3, $1)
    on conflict on constraint job_jobname_username_key do update set schedule = excluded.schedule, command = excluded.command
    returning jobid $$;
  create function cron.unschedule(job_id bigint) returns boolean language sql as $$
    delete from cron.job where jobid = $1 returning true $$;
  create schema net;
  create table net.http_request_queue (id bigint generated always as identity, method text, url text, headers jsonb, body bytea,
    timeout_milliseconds int not null);
  create function net.http_post(url text, body jsonb default '{}', params jsonb default '{}',
    headers jsonb default '{"Content-Type": "application/json"}', timeout_milliseconds int default 5000)
  returns bigint language sql as $$
    insert into net.http_request_queue (method, url, headers, body, timeout_milliseconds)
    values ('POST', url, headers, convert_to(body::text, 'UTF8'), timeout_milliseconds) returning id $$;
  create schema vault;
  create view vault.decrypted_secrets as select 'strata_secret_key'::text as name, '${keys.secret}'::text as decrypted_secret`;

/** The parts, as long as the test takes. */
async function parts() {
  const drop = async () => {
    await sql("drop schema if exists cron, net, vault cascade");
  };
  await drop();
  await sql(PARTS);
  return { [Symbol.asyncDispose]: drop };
}

/** What pg_cron does when the time has come, and pg_net after that; the statuses of what was sent. */
async function tick(): Promise<number[]> {
  for (const command of (await sql("select command from cron.job")).split("\n").filter(Boolean)) await sql(command);
  const lines = await sql(`with sent as (delete from net.http_request_queue returning *)
    select json_build_object('url', url, 'headers', headers, 'body', convert_from(body, 'UTF8'), 'timeout', timeout_milliseconds)
    from sent`);
  const requests = lines.split("\n").filter(Boolean).map((line) => JSON.parse(line));
  return await Promise.all(requests.map(async ({ url, headers, body, timeout }) => {
    const signal = AbortSignal.timeout(timeout);
    const answer = await fetch(url, { method: "POST", headers, body, signal });
    await answer.body?.cancel();
    return answer.status;
  }));
}

/** The SQLSTATE and the message of a refusal. */
async function refusal(statement: string): Promise<string> {
  return await sql(`create or replace function pg_temp.try() returns text language plpgsql as $try$
    begin execute $statement$${statement}$statement$; return 'done';
    exception when others then return sqlstate || ' ' || sqlerrm; end $try$;
    select pg_temp.try()`);
}

Deno.test("a job of pg_cron has the function drain the queue, with the key out of Vault", async () => {
  await using _parts = await parts();
  await using _notes = await notes(25);
  await using openai = provider(good);
  await sql(`select strata.schedule_embedding('${functions}/')`);
  const [schedule, command] = (await sql("select schedule, command from cron.job")).split("|");
  equal(schedule, "* * * * *");
  truth(!command.includes(keys.secret), "the key is in Vault alone");
  equal(await tick(), [200]);
  await until("select count(*) = 25 from public.note where embedding is not null");
  equal([await right(), openai.asked.length], [25, 1]);
  await until("select not exists (select from strata.job where model = 'tiny')");
  equal(await tick(), [], "nothing is sent where nothing is to be done");
});

Deno.test("a schedule that is set again is changed, and can be taken away", async () => {
  await using _parts = await parts();
  await sql(`select strata.schedule_embedding('${functions}')`);
  await sql(`select strata.schedule_embedding('${functions}', schedule => '30 seconds')`);
  equal(await sql("select count(*), min(schedule) from cron.job"), "1|30 seconds");
  equal(await sql("select strata.unschedule_embedding()"), "t");
  equal(await sql("select strata.unschedule_embedding()"), "f");
  equal(await tick(), []);
});

Deno.test("a tick while the provider rests sends nothing, and one after a lease that is over does", async () => {
  await using _parts = await parts();
  await using _notes = await notes(3);
  await sql(`select strata.schedule_embedding('${functions}')`);
  {
    await using _openai = provider(() => refuse(429, { "retry-after": "600" }));
    equal(await tick(), [200]);
    await until("select paused_until > clock_timestamp() from strata.model_state where model = 'tiny'");
  }
  equal(await tick(), []);
  await sql(`update strata.model_state set paused_until = null where model = 'tiny';
    update strata.job set not_before = clock_timestamp() where model = 'tiny';
    select strata.claim_jobs('somebody who died', 10, '1 microsecond', models => array['tiny'])`);
  equal(await queue(), "leased 0: 3");
  await using _openai = provider(good);
  equal(await tick(), [200]);
  await until("select count(*) = 3 from public.note where embedding is not null");
});

Deno.test("what is missing is told with what to do", async () => {
  await clear();
  const schedule = (url: string, secret = "strata_secret_key") =>
    `select strata.schedule_embedding('${url}', '${secret}')`;
  equal(await refusal(schedule(functions)), "55000 pg_cron is not installed in this database");
  equal(await refusal("select strata.unschedule_embedding()"), "55000 pg_cron is not installed in this database");
  await using _parts = await parts();
  equal(await refusal(schedule("postgres")), '22023 url "postgres" is not that of a function');
  equal(await refusal(schedule(functions, "another")), '55000 Vault has no secret "another"');
  await sql("drop schema net cascade");
  equal(await refusal(schedule(functions)), "55000 pg_net is not installed in this database");
});

Deno.test("the crontab line of the documentation drains the queue", async () => {
  await using _notes = await notes(5);
  await using _openai = provider(good);
  const text = await Deno.readTextFile(Deno.env.get("STRATA_TEST_SCHEDULE")!);
  const line = text.match(/```cron\n([^]+?)```/)![1].split("\n").find((line) => line.startsWith("* * * * * "))!;
  const env = { SUPABASE_URL: functions.replace("/functions/v1/strata", ""), STRATA_SECRET_KEY: keys.secret };
  const { success, stderr } = await new Deno.Command("sh", { args: ["-c", line.slice("* * * * * ".length)], env })
    .output();
  truth(success, new TextDecoder().decode(stderr));
  equal(await right(), 5);
});
