// The queue of embeddings, drained by HTTP: within its budget, whatever the provider does, whoever is killed.

import { notes, queue, right } from "./notes.ts";
import { another, ask, equal, functions, keys, pause, sql, truth, until } from "./project.ts";
import { environment, good, provider, refuse } from "./provider.ts";

// deno-lint-ignore no-explicit-any
async function drain(asked: Record<string, number> = {}): Promise<any> {
  const { status, body } = await ask("POST", "embed", asked);
  equal(status, 200, JSON.stringify(body));
  return body;
}

Deno.test("every row gets the vector of its text, a hundred a call", async () => {
  await using _notes = await notes(250);
  await using openai = provider(good);
  const drained = await drain();
  equal([drained.stored, drained.stale, drained.failed, drained.calls, drained.continues], [250, 0, 0, 3, false]);
  equal(drained.left, { ripe: 0, later: 0, leased: 0, dead: 0, next: null });
  equal([await right(), await queue()], [250, "empty"]);
  equal(openai.asked.map(({ body }) => body.input.length), [100, 100, 50]);
  equal([openai.asked[0].key, openai.asked[0].body.model], ["Bearer provider-key", "tiny"]);
  const again = await drain();
  equal([again.stored, again.calls], [0, 0]);
});

Deno.test("a caller who does not wait is answered at once, and the work goes on", async () => {
  await using _notes = await notes(30);
  let release = () => {};
  const released = new Promise<void>((then) => release = then);
  await using _openai = provider(async (asked, number) => {
    await released;
    return good(asked, number);
  });
  const drained = await drain({ wait: 0 });
  equal([drained.stored, drained.continues], [0, true]);
  truth(drained.left.ripe + drained.left.leased === 30, JSON.stringify(drained));
  release();
  await until("select count(*) = 30 from public.note where embedding is not null");
  equal(await right(), 30);
});

Deno.test("a budget of time and one of computing end it, and nothing is held", async () => {
  await using _notes = await notes(300);
  await using _openai = provider(async (asked, number) => {
    await pause(100);
    return await good(asked, number);
  });
  const timed = await drain({ seconds: 1, batch: 1, wait: 60 });
  truth(timed.stored > 0 && timed.stored < 15, JSON.stringify(timed));
  equal([timed.continues, timed.left.leased, timed.left.ripe], [false, 0, 300 - timed.stored]);
  const computed = await drain({ cpu_ms: 10, batch: 1, wait: 60 });
  truth(computed.stored > 0 && timed.stored + computed.stored < 300, JSON.stringify(computed));
  equal([computed.continues, computed.left.leased], [false, 0]);
  equal(await queue(), `queued 0: ${300 - timed.stored - computed.stored}`);
});

Deno.test("a provider that is asked too often is left alone for as long as it says, and no row is blamed", async () => {
  await using _notes = await notes(20);
  await using openai = provider((asked, number) =>
    number === 0 ? refuse(429, { "retry-after": "2" }) : good(asked, number)
  );
  const throttled = await drain();
  equal([throttled.stored, throttled.calls, throttled.left.later, throttled.left.ripe], [0, 1, 20, 0]);
  truth(throttled.left.next > 0 && throttled.left.next <= 2, JSON.stringify(throttled.left));
  truth(throttled.error.includes("answered 429") && !throttled.error.includes("provider-key"), throttled.error);
  equal(await queue(), "queued 0: 20");
  equal((await drain()).calls, 0);
  await until("select bool_and(not_before < clock_timestamp()) from strata.job where model = 'tiny'");
  await until("select paused_until < clock_timestamp() from strata.model_state where model = 'tiny'");
  equal([(await drain()).stored, openai.asked.length], [20, 2]);
});

Deno.test("a provider that fails, hangs up or stalls costs time and no row", async () => {
  await using _notes = await notes(10);
  const failures: [string, () => Response | Promise<Response>][] = [
    ["answered 500", () => refuse(500)],
    ["took too long", () => pause(8_000).then(() => refuse(500))],
    ["cannot be used", () => new Response("<html>")],
    ["cannot be used", () => Response.json({ data: [{ index: 0, embedding: [1, 2, 3] }] })],
  ];
  for (const [part, answer] of failures) {
    await using _openai = provider(answer);
    const drained = await drain({ wait: 60 });
    equal([drained.stored, drained.failed, drained.dead], [0, 10, 0], JSON.stringify(drained));
    truth(drained.error.includes(part) && !drained.error.includes("provider-key"), drained.error);
    equal([drained.left.later, drained.left.leased], [10, 0]);
    await sql(`update strata.job set not_before = clock_timestamp(), attempts = 0 where model = 'tiny';
      update strata.model_state set paused_until = null where model = 'tiny'`);
  }
  const unreached = await drain();
  truth(unreached.error.includes("cannot be reached"), unreached.error);
  await sql(`update strata.job set not_before = clock_timestamp() where model = 'tiny';
    update strata.model_state set paused_until = null where model = 'tiny'`);
  await using _openai = provider(good);
  equal([(await drain()).stored, await right(), await queue()], [10, 10, "empty"]);
});

Deno.test("a text that is rejected is found and set aside, and the others are not held up", async () => {
  await using _notes = await notes(40, "update public.note set body = 'poison' where body = 'note 17'");
  await using _openai = provider((asked, number) =>
    asked.body.input.includes("poison") ? refuse(400) : good(asked, number)
  );
  const drained = await drain();
  equal([drained.stored, drained.dead, drained.left.dead], [39, 1, 1], JSON.stringify(drained));
  equal([await right(), await queue()], [39, "dead 1: 1"]);
});

Deno.test("a set-up that is wrong blames no row and says what to do", async () => {
  await using _notes = await notes(5);
  for (const answer of [() => refuse(401), () => refuse(404), () => Response.json({ data: [] }, { status: 302 })]) {
    await using _openai = provider(answer);
    const drained = await drain();
    const benched = drained.benched.find(({ model }: { model: string }) => model === "tiny");
    truth(benched && benched.hint && !JSON.stringify(benched).includes("provider-key"), JSON.stringify(drained));
    equal([drained.calls, drained.failed, await queue()], [1, 0, "queued 0: 5"]);
  }
  await using _openai = provider(({ body }) =>
    Response.json({ data: body.input.map((_, index) => ({ index, embedding: [1, 2] })) })
  );
  const drained = await drain();
  truth(JSON.stringify(drained.benched).includes("expected 3 dimensions, not 2"), JSON.stringify(drained.benched));
  equal(await queue(), "queued 0: 5");
});

Deno.test("limits of a model are kept", async () => {
  await using _notes = await notes(5, "select strata.limit_model('tiny', 2, null)");
  await using openai = provider(good);
  const drained = await drain({ batch: 1, seconds: 2 });
  truth(drained.stored >= 1 && drained.stored < 5 && openai.asked.length === drained.stored, JSON.stringify(drained));
  equal([drained.failed, drained.left.leased], [0, 0]);
});

Deno.test("two at once share the work, and no text is embedded twice", async () => {
  await using _notes = await notes(60);
  await using openai = provider(async (asked, number) => {
    await pause(20);
    return await good(asked, number);
  });
  const drained = await Promise.all([1, 2, 3].map(() => drain({ batch: 7 })));
  equal(drained.reduce((sum, { stored }) => sum + stored, 0), 60);
  const texts = openai.asked.flatMap(({ body }) => body.input);
  equal([texts.length, new Set(texts).size, await right()], [60, 60, 60]);
});

Deno.test("while a model is changed, its rows are queued and embedded within the same budget", async () => {
  await using _notes = await notes(1200);
  await using openai = provider(good);
  equal((await drain({ wait: 60 })).stored, 1200);
  await sql("select strata.add_model('small', 'openai', 3); select strata.start_model_change('tiny', 'small')");
  try {
    const timed = await drain({ seconds: 1, batch: 1, wait: 60 });
    truth(
      timed.stored > 0 && timed.stored < 1000,
      `a page is a thousand rows, and one second: ${JSON.stringify(timed)}`,
    );
    equal([timed.left.ripe, timed.left.leased], [1000 - timed.stored, 0]);
    const rest = await drain({ wait: 60 });
    equal([timed.stored + rest.stored, rest.left.ripe, rest.continues], [1200, 0, false]);
    equal(openai.asked.at(-1)?.body.model, "small");
    await sql("select strata.switch_model('small')");
    equal(await sql("select count(*) from strata_vectors.small"), "1200");
    equal((await drain({ wait: 60 })).calls, 0);
  } finally {
    await sql(`select strata.revert_model('small') from strata.model_change where state = 'switched';
      select strata.end_model_change('small'); select strata.drop_model('small')`);
  }
});

Deno.test("a row that somebody holds while a model is changed is left to the next invocation", async () => {
  await using _notes = await notes(3);
  await using _openai = provider(good);
  equal((await drain({ wait: 60 })).stored, 3);
  await sql("select strata.add_model('small', 'openai', 3); select strata.start_model_change('tiny', 'small')");
  try {
    const holder = sql("begin; update note set created_at = now(); select pg_sleep(60)").catch(() => "ended");
    const asleep = "from pg_stat_activity where wait_event = 'PgSleep' and query ~ 'update note|pg_sleep'";
    await until(`select exists (select ${asleep})`);
    const none = await drain({ wait: 60 });
    equal([none.stored, none.error, none.continues], [0, null, false]);
    await sql(`select pg_terminate_backend(pid) ${asleep}`);
    equal(await holder, "ended");
    equal((await drain({ wait: 60 })).stored, 3);
  } finally {
    await sql("select strata.end_model_change('small'); select strata.drop_model('small')");
  }
});

Deno.test("a row that changes while its text is embedded gets the vector of the new text", async () => {
  await using _notes = await notes(1);
  await using openai = provider(async (asked, number) => {
    if (number === 0) await sql("update public.note set body = 'another'");
    return await good(asked, number);
  });
  const drained = await drain();
  equal([drained.stored, drained.stale, await right(), openai.asked.length], [1, 1, 1, 2]);
});

Deno.test("a function that is killed between claim and completion loses nothing", async () => {
  await using _notes = await notes(8);
  for (const delay of [0, 10, 20, 40, 80, -1]) {
    await sql("update public.note set embedding = null");
    let stalled = () => {};
    const reached = new Promise<void>((then) => stalled = then);
    {
      await using _openai = provider(async (asked, number) => {
        stalled();
        if (delay < 0) await pause(1_000);
        return await good(asked, number);
      });
      await using victim = await another(environment);
      const lost = fetch(`${victim.url}/embed`, {
        method: "POST",
        headers: { apikey: keys.secret, "content-type": "application/json" },
        body: "{}",
      }).then((answer) => answer.body?.cancel(), () => {});
      // Below zero: while the provider works.
      await (delay < 0 ? reached : pause(delay));
      await victim.kill();
      await lost;
    }
    // What was claimed is free again when its lease is over: two minutes that nobody has to wait for here.
    await until(
      "select not exists (select from pg_stat_activity where application_name = '' and query ~ 'complete_jobs' and state = 'active')",
    );
    await sql("update strata.job set lease_until = clock_timestamp() where state = 'leased' and model = 'tiny'");
    await pause(10);
    await using _openai = provider(good);
    const drained = await drain();
    equal([await right(), await queue(), drained.left.leased], [8, "empty", 0], String(delay));
  }
});

Deno.test("only the project drains, and only with a body that can be meant", async () => {
  const bad: [unknown, string][] = [
    [{ wait: -1 }, "22023"],
    [{ wait: 101 }, "22023"],
    [{ seconds: 0 }, "22023"],
    [{ cpu_ms: 1.5 }, "22023"],
    [{ batch: 1001 }, "22023"],
    [{ model: "tiny" }, "22023"],
    ["", "HT400"],
  ];
  for (const [body, code] of bad) {
    const answer = await ask("POST", "embed", body);
    equal([answer.status, answer.body.code], [400, code], JSON.stringify(body));
  }
  const answer = await fetch(`${functions}/embed`, { method: "POST", headers: { apikey: keys.publishable } });
  equal(answer.status, 401);
  await answer.body?.cancel();
});
