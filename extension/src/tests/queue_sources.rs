//! A source that changes or refuses under the queue: its writers go on, its jobs fail alone, nothing is lost.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Completes what lies in the table held.
    fn complete_held() -> String {
        ask(
            "select c.stored || ' stored, ' || c.stale || ' stale' from (select array_agg(h.entity_type) as t, array_agg(h.entity_id) as i,
                 array_agg(h.fence) as f, array_agg(h.content_hash) as h, array_agg('[1,0,0]'::vector) as v from held h) x,
             strata.complete_jobs(x.t, x.i, x.f, x.h, x.v) c",
        )
    }

    #[pg_test]
    fn a_source_that_broke_holds_up_nobody() {
        sources();
        note(1, "one", "a");
        run(&format!("insert into public.task (id, user_id, name) values ('{}', '{ANN}', 'two')", id(2)));
        run("alter table public.note drop column body");
        assert_eq!(claim(), "2:two");
        assert_eq!(ask("select error from strata.job where state = 'dead'"), "column r.body does not exist");
        assert_eq!(
            list(
                "select format('%s %s', coalesce(q.missing::text, '?'), q.fault) from strata.queue_status() q"
            ),
            "? column \"body\" does not exist 1 "
        );
        assert_eq!(
            list("select g.detail from strata.embedded_state() g"),
            "embeddings of note: ? missing, 0 waiting, 1 dead, column \"body\" does not exist"
        );
    }

    #[pg_test]
    fn a_writer_never_fails_because_a_column_is_gone_and_nothing_written_meanwhile_is_lost() {
        sources();
        note(1, "one", "a");
        note(2, "two", "b");
        claim();
        for (number, text) in [(1, "one\na"), (2, "two\nb")] {
            complete(number, 2, text, "[1,0,0]");
        }
        run("alter table public.note rename column body to text");
        run(&format!("update public.note set text = 'changed' where id = '{}'", id(1)));
        run(&format!("insert into public.note (id, user_id, title) values ('{}', '{ANN}', 'three')", id(3)));
        run(&format!("delete from public.note where id = '{}'", id(2)));
        assert_eq!(jobs(), "1/queued/f1/a0 3/queued/f1/a0");
        assert_eq!(claim(), "null");
        assert_eq!(list("select error from strata.job"), ["column r.body does not exist"; 2].join(" "));
        run("alter table public.note rename column text to body; select strata.retry_dead('note')");
        assert_eq!(claim(), "1:one|changed 3:three");
    }

    #[pg_test]
    fn a_writer_goes_on_where_even_the_key_has_another_name() {
        sources();
        run("alter table public.note rename column id to key");
        run(&format!("insert into public.note (key, user_id, title) values ('{}', '{ANN}', 'one')", id(1)));
        run("update public.note set title = 'two'; delete from public.note; truncate public.note");
        assert_eq!(jobs(), "null");
        assert_eq!(
            ask("select fault from strata.sources() where entity_type = 'note'"),
            "column \"id\" does not exist"
        );
    }

    #[pg_test]
    fn a_table_that_changes_under_vectors_on_their_way_buries_its_jobs_and_stores_the_others() {
        sources();
        note(1, "one", "a");
        run(&format!("insert into public.task (id, user_id, name) values ('{}', '{ANN}', 'two')", id(2)));
        run("create temp table held as select * from strata.claim_jobs('w')");
        run("alter table public.note drop column embedding");
        assert_eq!(complete_held(), "1 stored, 1 stale");
        assert_eq!(
            list("select entity_type || ' ' || state || ': ' || error from strata.job"),
            "note dead: column \"embedding\" of relation \"note\" does not exist"
        );
    }

    #[pg_test]
    fn a_row_that_its_application_refuses_fails_alone() {
        sources();
        run("create function public.sealed() returns trigger language plpgsql as
                 $$ begin if new.mood = 'sealed' then raise 'this note is sealed'; end if; return new; end $$;
             create trigger sealed before update on public.note for each row execute function public.sealed()");
        note(1, "one", "a");
        note(2, "two", "b");
        run("create temp table held as select * from strata.claim_jobs('w')");
        run("alter table public.note disable trigger sealed");
        run(&format!("update public.note set mood = 'sealed' where id = '{}'", id(1)));
        run("alter table public.note enable trigger sealed");
        assert_eq!(complete_held(), "1 stored, 1 stale");
        assert_eq!(jobs(), "1/queued/f3/a1");
        assert_eq!(
            ask("select error from strata.job"),
            "its vector could not be stored: this note is sealed"
        );
    }
}
