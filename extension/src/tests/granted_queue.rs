//! The queue in the hands of a role that was granted it and nothing else, as an API has it.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// The sources, and a service that may embed and may read and update the notes.
    fn granted() {
        sources();
        run("create role service bypassrls;
             select strata.grant_embedding('service');
             grant select, update on public.note to service");
    }

    fn as_service<T>(work: impl FnOnce() -> T) -> T {
        run("set local role service");
        let done = work();
        run("reset role");
        done
    }

    const LEFT: &str =
        "select format('%s ripe, %s later, %s leased, %s dead, %s', l.ripe, l.later, l.leased, l.dead,
        case when l.next is null then 'none' when l.next between 0 and 60 then 'soon' else l.next::text end)
        from strata.jobs_left() l";

    #[pg_test]
    fn a_role_that_was_granted_the_queue_drains_it() {
        granted();
        note(1, "one", "a");
        note(2, "two", "");
        run(&format!("update public.note set title = '' where id = '{}'", id(2)));
        as_service(|| {
            assert_eq!(claim(), "1:one|a");
            assert_eq!(ask("select strata.seconds_to_turn('mini', 10)"), "0");
            assert_eq!(complete(1, 2, "one\na", "[1,0,0]"), "1 stored, 0 stale");
            assert_eq!(ask(LEFT), "0 ripe, 0 later, 0 leased, 0 dead, none");
        });
        assert_eq!(ask("select embedding from public.note where title = 'one'"), "[1,0,0]");
    }

    #[pg_test]
    fn it_tells_of_failures_and_hands_back() {
        granted();
        note(1, "one", "a");
        as_service(|| {
            claim();
            assert_eq!(ask(LEFT), "0 ripe, 0 later, 1 leased, 0 dead, none");
            let told = format!(
                "select f.queued || ' ' || f.dead from strata.fail_jobs(array['note'], array['{}']::uuid[], array[2]::bigint[],
                     'no', '30 seconds', 'busy') f",
                id(1)
            );
            assert_eq!(ask(&told), "1 0");
            assert_eq!(ask(LEFT), "0 ripe, 1 later, 0 leased, 0 dead, soon");
        });
    }

    #[pg_test]
    fn stores_that_are_made_later_are_open_to_it_too() {
        granted();
        run("select strata.drop_source('note'); alter table public.note drop embedding;
             select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', array['body'], null, 'mini',
                 embedded_at_column => 'embedded_at', store => 'halfvec')");
        note(1, "one", "a");
        as_service(|| {
            claim();
            assert_eq!(complete(1, 2, "one\na", "[0,0,4]"), "1 stored, 0 stale");
        });
        assert_eq!(ask("select embedding from strata_vectors.mini"), "[0,0,1]");
    }

    #[pg_test]
    fn it_walks_and_drains_rows_whatever_their_keys_are() {
        granted();
        run(&format!(
            "create table public.page (slug text primary key, user_id uuid not null, title text, embedded_at timestamptz,
                 created_at timestamptz not null default now());
             insert into public.page select 'p/' || g, '{ANN}', 'page ' || g from generate_series(1, 3) g;
             grant select, update on public.page to service;
             select strata.add_source('page', 'public.page', 'slug', 'user_id', 'title', '{{}}', null, 'mini',
                 embedded_at_column => 'embedded_at', store => 'halfvec')"
        ));
        let drain = "with c as (select * from strata.claim_jobs('w'))
            select (strata.complete_jobs(array_agg(c.entity_type), array_agg(c.entity_id), array_agg(c.fence),
                                         array_agg(c.content_hash), array_agg('[0,3,4]'::vector))).stored from c";
        let kept = "select v.entity_key from strata_vectors.mini v order by 1";
        as_service(|| {
            let page = |walk: &str| {
                ask(&format!("select e.enqueued || ' ' || coalesce(e.last, '-') from strata.{walk} e"))
            };
            assert_eq!(page("enqueue_missing('page', null, 2)"), "2 p/2");
            assert_eq!(page("enqueue_missing('page', 'p/2', 2)"), "1 p/3");
            assert_eq!(page("enqueue_missing('page', 'p/3', 2)"), "0 -");
            assert_eq!(ask(drain), "3");
            assert_eq!(page("enqueue_again('page')"), "3 p/3");
            assert_eq!(list(kept), "p/1 p/2 p/3");
            assert_eq!(ask(drain), "3");
        });
        run(
            "update public.page set title = '' where slug = 'p/2'; delete from public.page where slug = 'p/3'",
        );
        as_service(|| assert_eq!(ask("select count(*) from strata.claim_jobs('w')"), "0"));
        assert_eq!(list(kept), "p/1", "what lost its text, or its row, has no vector");
        assert_eq!(ask("select count(*) from strata.job"), "0");
    }

    #[pg_test]
    fn nobody_drains_what_they_were_not_granted() {
        sources();
        run("create role service; grant usage on schema strata to service;
             grant execute on function public.attempt to service; set local role service");
        for call in [
            "strata.claim_jobs('w')",
            "strata.jobs_left()",
            "strata.seconds_to_turn('mini', 1)",
            "strata.grant_embedding('service')",
            "strata.open_stores('service')",
            "strata.schedule_embedding('https://x')",
            "strata.unschedule_embedding()",
            "strata.ask_for_embedding('https://x', 's')",
            "strata.vault_secret('s')",
        ] {
            let refused = refusal(&format!("select {call}"));
            assert!(refused.starts_with("42501 permission denied for function"), "{call}: {refused}");
        }
    }

    #[pg_test]
    fn whose_rows_it_may_not_write_it_does_not_embed() {
        granted();
        run("revoke update on public.note from service; grant execute on function public.attempt to service");
        note(1, "one", "a");
        as_service(|| {
            claim();
            assert_eq!(complete(1, 2, "one\na", "[1,0,0]"), "0 stored, 1 stale");
        });
        let told = ask("select error from strata.job");
        assert!(told.contains("could not be stored: permission denied for table note"), "{told}");
    }

    #[pg_test]
    fn a_schedule_needs_its_parts() {
        tables();
        let refused = |sql: &str| refusal(&format!("select {sql}"));
        assert_eq!(
            refused("strata.schedule_embedding('postgres://x')"),
            "22023 url \"postgres://x\" is not that of a function"
        );
        assert_eq!(
            refused("strata.schedule_embedding(null)"),
            "22023 url \"null\" is not that of a function"
        );
        assert_eq!(
            refused("strata.schedule_embedding('https://x')"),
            "55000 pg_cron is not installed in this database"
        );
        assert_eq!(
            refused("strata.unschedule_embedding()"),
            "55000 pg_cron is not installed in this database"
        );
    }

    #[pg_test]
    fn nothing_is_asked_for_where_nothing_is_ripe() {
        sources();
        assert_eq!(ask("select strata.ask_for_embedding('https://x', 's')"), "null");
        note(1, "one", "a");
        assert_eq!(ask("select strata.has_ripe_jobs(array['openai'])"), "false", "its model runs elsewhere");
        assert_eq!(ask("select strata.has_ripe_jobs(array['local'])"), "true");
        claim();
        assert_eq!(ask("select strata.has_ripe_jobs(array['local'])"), "false");
        run("update strata.job set lease_until = clock_timestamp()");
        assert_eq!(ask("select strata.has_ripe_jobs(array['local'])"), "true", "who held it is late");
        run("update strata.model_state set paused_until = clock_timestamp() + interval '1 hour'");
        assert_eq!(ask("select strata.has_ripe_jobs(array['local'])"), "false");
    }
}
