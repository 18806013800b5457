//! `rag_search` under a search_path that lays traps: a namesake of every operator, type and function that might be meant.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// A schema with a namesake of every binary operator of Postgres and pgvector, and of some types and functions.
    const TRAPS: &str = "
        create schema evil;
        do $$
        declare
            o record;
        begin
            for o in
                select op.oid, op.oprname, format_type(op.oprleft, null) as l, format_type(op.oprright, null) as r,
                       format_type(op.oprresult, null) as result
                from pg_operator op
                where op.oprkind = 'b' and op.oprnamespace in ('pg_catalog'::regnamespace, 'public'::regnamespace)
                  and not exists (select from pg_type t where t.oid in (op.oprleft, op.oprright, op.oprresult) and t.typtype = 'p')
            loop
                execute format('create function evil.%I(%s, %s) returns %s language plpgsql as
                                $trap$ begin raise exception ''trapped''; end $trap$', 'trap' || o.oid, o.l, o.r, o.result);
                execute format('create operator evil.%s (function = evil.%I, leftarg = %s, rightarg = %s)',
                               o.oprname, 'trap' || o.oid, o.l, o.r);
            end loop;
        end $$;
        do $$
        declare
            name text;
        begin
            foreach name in array array['text', 'uuid', 'jsonb', 'float8', 'name', 'regtype', 'timestamptz'] loop
                execute format('create domain evil.%1$I as pg_catalog.%1$I check (false)', name);
            end loop;
        end $$;
        create function public.are_set() returns boolean language plpgsql as $$
        begin
            return 1 <> 1;
        exception when raise_exception then
            return true;
        end $$;
        create function evil.now() returns pg_catalog.timestamptz language sql as 'select null::pg_catalog.timestamptz'";

    /// What a search answers where that schema stands before all others.
    fn trapped(search: &str) -> Option<String> {
        Spi::get_one(&format!(
            "select set_config('search_path', 'evil, pg_catalog, public', true) || {}",
            answer(search)
        ))
        .expect("a search that falls into no trap")
    }

    /// The same with an ordinary path.
    fn truth(search: &str) -> String {
        ask(&format!("select 'evil, pg_catalog, public' || {}", answer(search)))
    }

    fn answer(search: &str) -> String {
        format!(
            "(select string_agg(h.entity_type || h.entity_id || h.similarity || coalesce(h.content, '-') || h.metadata, ' ') from {search} h)"
        )
    }

    fn library() {
        tables();
        run(&format!(
            "alter table public.note add extra json, add archived boolean;
             select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', array['body'], 'embedding', 'mini',
                 metadata_columns => array['mood', 'extra'], hidden_column => 'archived');
             insert into public.note (user_id, title, body, embedding, extra)
             select '{ANN}', 'n' || g, nullif('b' || g, 'b3'), format('[1,%s,%s]', sin(g), cos(g))::vector, '{{\"a\":1}}'
             from generate_series(1, 20) g"
        ));
    }

    #[pg_test]
    fn no_search_path_puts_its_own_operators_into_our_statements() {
        library();
        run("select strata.set_text_search('note', 'english')");
        let options = [
            "",
            ", query_text => 'b7 n2'",
            ", query_text => '\"b7\" -n3', diversity => 0.3, minimum_similarity => -1, source_weights => '{\"note\": 2}'",
        ];
        let searches =
            options.map(|options| format!("strata.rag_search('[0.3,-1,0.2]', '{ANN}', 7, 100{options})"));
        let truths = searches.clone().map(|search| truth(&search));
        run(TRAPS);
        for (search, truth) in searches.iter().zip(truths) {
            assert_eq!(trapped(search), Some(truth), "{search}");
            run("reset search_path");
        }
        run("set local search_path = evil, pg_catalog, public");
        assert_eq!(Spi::get_one::<bool>("select public.are_set()"), Ok(Some(true)));
    }

    #[pg_test]
    fn nor_into_those_that_find_out_who_is_asking() {
        library();
        run("alter table public.note enable row level security; create role reader; grant usage on schema strata to reader;
             grant select on public.note, strata.source, strata.model to reader; grant execute on function strata.rag_search to reader;
             create policy own on public.note using (user_id::text = current_setting('request.jwt.claims')::jsonb ->> 'sub')");
        run(TRAPS);
        run(&format!(
            "grant usage on schema evil to reader; set local request.jwt.claims = '{{\"sub\": \"{ANN}\"}}'; set local role reader"
        ));
        let search = "strata.rag_search('[0.3,-1,0.2]', null, 7)";
        let truth = truth(search);
        assert_eq!(trapped(search), Some(truth));
    }
}
