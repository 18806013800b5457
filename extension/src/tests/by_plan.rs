//! Statements that are planned once a session, and rows that are written many at once.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Notes with a store, each with its job.
    fn stored(count: u32) {
        tables();
        run(&format!(
            "select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', '{{body}}', null, 'mini',
                 embedded_at_column => 'embedded_at', store => 'halfvec');
             insert into public.note (id, user_id, title)
             select format('00000000-0000-0000-0000-%s', lpad(g::text, 12, '0'))::uuid, '{ANN}', 'note ' || g from generate_series(1, {count}) g"
        ));
    }

    /// Claims all and gives each row the vector [its number, 1, 0]: "stored stale".
    fn embed() -> String {
        ask("select c.stored || ' ' || c.stale from (
                 select array_agg(j.entity_type) as t, array_agg(j.entity_id) as i, array_agg(j.fence) as f, array_agg(j.content_hash) as h,
                        array_agg(format('[%s,1,0]', right(j.entity_id::text, 4)::int)::vector) as v
                 from strata.claim_jobs('w', 1000) j) x, strata.complete_jobs(x.t, x.i, x.f, x.h, x.v) c")
    }

    /// How many of the vectors in the store are those of their rows, brought to length 1.
    const RIGHT: &str = "select count(*) from strata_vectors.mini v join public.note n on n.id = v.entity_id and n.user_id = v.tenant
        where v.chunk = 0 and v.entity_key is null and abs(v.embedding::vector <=> format('[%s,1,0]', right(n.id::text, 4)::int)::vector) < 0.0001
          and abs(l2_norm(v.embedding) - 1) < 0.001";

    #[pg_test]
    fn more_new_vectors_than_are_written_at_once_are_all_there_and_found_by_their_indexes() {
        stored(300);
        assert_eq!(embed(), "300 0");
        run("set local enable_seqscan = off");
        assert_eq!(ask(RIGHT), "300");
        assert_eq!(ask(&format!("select count(*) from strata_vectors.mini where tenant = '{ANN}'")), "300");
        run(
            "set local enable_indexscan = off; set local enable_indexonlyscan = off; set local enable_bitmapscan = off; reset enable_seqscan",
        );
        assert_eq!(ask(RIGHT), "300");
        assert_eq!(ask("select count(*) from public.note where embedded_at is not null"), "300");
    }

    #[pg_test]
    fn of_new_vectors_and_others_each_is_there_once() {
        stored(3);
        assert_eq!(embed(), "3 0");
        run(&format!(
            "update strata_vectors.mini set embedding = '[0,0,1]';
             update public.note set title = 'changed' where id in ('{}', '{}');
             insert into public.note (id, user_id, title) values ('{}', '{ANN}', 'new')",
            id(1),
            id(2),
            id(4)
        ));
        assert_eq!(embed(), "3 0");
        assert_eq!((ask("select count(*) from strata_vectors.mini"), ask(RIGHT)), ("4".into(), "3".into()));
    }

    #[pg_test]
    fn a_store_with_a_trigger_is_written_row_by_row() {
        stored(2);
        run("create table public.seen (id uuid);
             create function public.see() returns trigger language plpgsql as $$
             begin insert into public.seen values (new.entity_id); return new; end $$;
             create trigger see before insert on strata_vectors.mini for each row execute function public.see()");
        assert_eq!(embed(), "2 0");
        assert_eq!((ask(RIGHT), ask("select count(*) from public.seen")), ("2".into(), "2".into()));
    }

    #[pg_test]
    fn rows_of_another_form_are_refused_and_a_key_that_is_there_too() {
        stored(1);
        embed();
        let insert = |query: &str| {
            refusal(&format!("select strata.insert_in_bulk('strata_vectors.mini', '{query}', 0)"))
        };
        assert_eq!(insert("select 1"), "42804 the rows of the query are not of the table's form");
        assert_eq!(
            insert(
                "select tenant, entity_type, entity_id, chunk::bigint, embedding, entity_key from strata_vectors.mini"
            ),
            "42804 the rows of the query are not of the table's form"
        );
        assert_eq!(
            insert("select * from strata_vectors.mini"),
            "23505 duplicate key value violates unique constraint \"mini_pkey\""
        );
        assert_eq!(
            insert(
                "select null::uuid, entity_type, entity_id, 1, embedding, entity_key from strata_vectors.mini"
            ),
            "23502 null value in column \"tenant\" of relation \"mini\" violates not-null constraint"
        );
        assert_eq!(ask("select count(*) from strata_vectors.mini"), "1");
    }

    #[pg_test]
    fn who_may_not_insert_is_told_by_insert() {
        stored(1);
        run("create role nobody_much; grant usage on schema strata, strata_vectors to nobody_much;
             grant execute on function strata.insert_in_bulk(regclass, text, \"any\") to nobody_much; set local role nobody_much");
        let query = "select null::uuid, null, null::uuid, 0, null::public.halfvec, null where false";
        assert_eq!(
            ask(&format!("select strata.insert_in_bulk('strata_vectors.mini', '{query}', 0)")),
            "null"
        );
        run("reset role");
    }

    #[pg_test]
    fn a_plan_that_is_kept_sees_that_its_table_has_changed() {
        tables();
        let change = "select strata.by_plan('update public.note set mood = $1 where title = $2', 'well'::text, 'one'::text)";
        assert_eq!(ask(change), "0");
        note(1, "one", "a");
        assert_eq!(ask(change), "1");
        run(
            "alter table public.note add at int; alter table public.note alter mood type varchar(3) using null",
        );
        assert_eq!(refusal(change), "22001 value too long for type character varying(3)");
        run("alter table public.note drop mood");
        assert_eq!(refusal(change), "42703 column \"mood\" of relation \"note\" does not exist");
    }

    #[pg_test]
    fn what_cannot_be_planned_or_answered_is_refused_and_ends_no_server() {
        tables();
        for (call, sqlstate) in [
            ("strata.by_plan(null, null::int)", "22004"),
            ("strata.by_plan('', 1)", "42601"),
            ("strata.by_plan('select 1; select 2', 1)", "42601"),
            ("strata.places_by_plan(null, 1)", "22004"),
            ("strata.places_by_plan('select $1', 1)", "42804"),
            ("strata.places_by_plan('select null::tid[] where $1 = 2', 1)", "42804"),
            ("strata.insert_in_bulk(null, 'select 1', 1)", "22004"),
            ("strata.insert_in_bulk('strata.model', null, 1)", "22004"),
        ] {
            assert_eq!(&refusal(&format!("select {call}"))[..5], sqlstate, "{call}");
        }
    }
}
