//! `rag_search`: what it finds, against a brute force; what it refuses.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// 300 notes and 200 tasks of two tenants, spread over the sphere, with an HNSW index to be tempted by.
    fn library() {
        sources();
        let spread = "format('[%s,%s,%s]', sin(g * 1.7), cos(g * 2.3), sin(g * 0.9 + 1))::vector";
        let tenant = format!("(case when g % 3 = 0 then '{BOB}' else '{ANN}' end)::uuid");
        run(&format!(
            "insert into public.note (user_id, title, body, mood, embedding, created_at)
             select {tenant}, 'note ' || g, 'body ' || g, 'calm', {spread}, now() - g * interval '1 day' from generate_series(1, 300) g;
             insert into public.task (user_id, name, description, notes, status, v, created_at)
             select {tenant}, 'task ' || g, nullif('d' || g, 'd7'), 'n' || g, 'todo', {spread}, now() - g * interval '1 day'
             from generate_series(301, 500) g;
             create index on public.note using hnsw (embedding vector_cosine_ops);
             create index on public.note (user_id); analyze public.note; analyze public.task"
        ));
    }

    fn found(arguments: &str) -> String {
        list(&format!(
            "select h.entity_type || h.entity_id || h.similarity from strata.rag_search({arguments}) h"
        ))
    }

    fn brute(query: &str, tenant: &str, limit: u32, filter: &str) -> String {
        list(&format!(
            "select u.entity_type || u.id || u.similarity from (
                 select 'note' as entity_type, id, user_id, created_at, 1 - (embedding <=> '{query}') as similarity from public.note
                 union all select 'task', id, user_id, created_at, 1 - (v <=> '{query}') from public.task) u
             where u.user_id = '{tenant}' and u.similarity is not null and {filter}
             order by u.similarity desc, u.entity_type, u.id limit {limit}"
        ))
    }

    fn refused(arguments: &str) -> String {
        refusal(&format!("select * from strata.rag_search({arguments})"))
    }

    #[pg_test]
    fn finds_what_a_brute_force_over_all_tables_finds() {
        library();
        for (query, tenant, limit) in
            [("[1,0,0]", ANN, 10), ("[-1,2,0.5]", BOB, 10), ("[0,0,-3]", ANN, 1000), ("[1,1,1]", BOB, 1)]
        {
            assert_eq!(
                found(&format!("'{query}', '{tenant}', {limit}")),
                brute(query, tenant, limit, "true")
            );
        }
        assert_eq!(ask(&format!("select count(*) from strata.rag_search('[1,0,0]', '{ANN}')")), "10");
        assert_eq!(ask(&format!("select count(*) from strata.rag_search('[1,0,0]', '{}')", id(5))), "0");
    }

    #[pg_test]
    fn the_tenth_call_answers_as_the_first() {
        library();
        let first = found(&format!("'[0.3,-1,0.2]', '{BOB}', 25"));
        for _ in 0..10 {
            assert_eq!(found(&format!("'[0.3,-1,0.2]', '{BOB}', 25")), first);
        }
        assert_eq!(first, brute("[0.3,-1,0.2]", BOB, 25, "true"));
    }

    #[pg_test]
    fn equal_rows_come_in_the_order_of_type_and_key() {
        sources();
        for (table, column, vector) in [("task", "name", "v"), ("note", "title", "embedding")] {
            for number in [3, 1, 2] {
                run(&format!(
                    "insert into public.{table} (id, user_id, {column}, {vector}) values ('{}', '{ANN}', 'x', '[1,2,3]')",
                    id(number)
                ));
            }
        }
        assert_eq!(
            list(&format!(
                "select h.entity_type || right(h.entity_id::text, 1) from strata.rag_search('[3,2,1]', '{ANN}', 5) h"
            )),
            "note1 note2 note3 task1 task2"
        );
    }

    #[pg_test]
    fn the_columns_are_those_of_the_row() {
        sources();
        run(&format!(
            "insert into public.task (id, user_id, name, description, notes, status, weight, v, created_at) values
                 ('{}', '{ANN}', 'name', 'one', 'two', 'todo', 0.12345678901234567890, '[0,2,0]', '2026-01-02 03:04:05+00'),
                 ('{}', '{ANN}', 'bare', '', null, null, null, '[0,1,1]', '2026-01-02 03:04:05+00')", id(1), id(2)));
        let row = |number| {
            ask(&format!(
            "select to_jsonb(h) - 'similarity' from strata.rag_search(query_embedding => '[0,1,0]', user_id_filter => '{ANN}') h
             where h.entity_id = '{}'", id(number)))
        };
        assert_eq!(row(1), "{\"title\": \"name\", \"content\": \"one\\ntwo\", \"metadata\": {\"status\": \"todo\", \"weight\": 0.12345678901234567890}, \
            \"entity_id\": \"00000000-0000-0000-0000-000000000001\", \"created_at\": \"2026-01-02T03:04:05+00:00\", \"entity_type\": \"task\"}"
            .replace("+00:00", &ask("select to_char('2026-01-02 03:04:05+00'::timestamptz, 'TZH:TZM')")));
        assert!(
            row(2).contains("\"content\": null, \"metadata\": {\"status\": null, \"weight\": null}"),
            "{}",
            row(2)
        );
        assert_eq!(
            list(&format!("select h.similarity from strata.rag_search('[0,1,0]', '{ANN}') h")),
            "1 0.7071067811865475"
        );
    }

    #[pg_test]
    fn the_documents_signature_and_columns() {
        assert_eq!(
            ask("select pg_get_function_arguments(p.oid) || ' -> ' || pg_get_function_result(p.oid) || ' ' || p.provolatile::text || p.proparallel::text || p.prosecdef
                 from pg_proc p where p.oid = 'strata.rag_search'::regproc"),
            "query_embedding vector, user_id_filter uuid, match_count integer DEFAULT 10, date_range_days integer DEFAULT NULL::integer, \
             entity_types text[] DEFAULT NULL::text[], minimum_similarity double precision DEFAULT NULL::double precision, \
             metadata_filter jsonb DEFAULT NULL::jsonb, source_weights jsonb DEFAULT NULL::jsonb, \
             diversity double precision DEFAULT NULL::double precision, query_text text DEFAULT NULL::text, \
             text_weight double precision DEFAULT 0.5, embedding_model text DEFAULT NULL::text, \
             organisation_filter text DEFAULT NULL::text -> \
             TABLE(entity_type text, entity_id uuid, title text, content text, similarity double precision, \
             created_at timestamp with time zone, metadata jsonb) ssfalse"
        );
    }

    #[pg_test]
    fn a_range_of_days_leaves_out_what_is_older() {
        library();
        let recent = "u.created_at >= now() - interval '30 days'";
        assert_eq!(found(&format!("'[1,0,0]', '{ANN}', 100, 30")), brute("[1,0,0]", ANN, 100, recent));
        assert_eq!(found(&format!("'[1,0,0]', '{ANN}', 10, 2147483647")), brute("[1,0,0]", ANN, 10, "true"));
        assert_eq!(found(&format!("'[1,0,0]', '{ANN}', 10, 0")), "null");
    }

    #[pg_test]
    fn rows_without_an_embedding_are_not_found() {
        library();
        run("update public.note set embedding = null");
        assert_eq!(
            ask(&format!(
                "select count(*) from strata.rag_search('[1,0,0]', '{ANN}', 1000) h where h.entity_type = 'note'"
            )),
            "0"
        );
    }

    #[pg_test]
    fn a_stored_vector_without_direction_comes_last() {
        sources();
        note(1, "zero", "a");
        note(2, "far", "b");
        run(&format!(
            "update public.note set embedding = case when id = '{}' then '[0,0,0]' else '[-1,0,0]' end::vector",
            id(1)
        ));
        assert_eq!(list(&format!("select h.title from strata.rag_search('[1,0,0]', '{ANN}') h")), "far zero");
    }

    #[pg_test]
    fn the_length_of_the_embedding_makes_no_difference() {
        library();
        for call in [format!("rag_search('X', '{ANN}')"), format!("search('X', '{ANN}', diversity => 0.3)")] {
            let rows = |embedding: &str| {
                list(&format!(
                    "select (h.entity_id, round(h.similarity::numeric, 5))::text from strata.{} h",
                    call.replace('X', embedding)
                ))
            };
            let truth = rows("[1,2,3]");
            for embedding in
                ["[1e38,2e38,3e38]", "[1e-30,2e-30,3e-30]", "[1e-38,2e-38,3e-38]", "[2e9,4e9,6e9]"]
            {
                assert_eq!(rows(embedding), truth, "{embedding}");
            }
        }
    }

    #[pg_test]
    fn refuses_arguments_by_name() {
        sources();
        assert_eq!(refused(&format!("null, '{ANN}'")), "22004 query_embedding must not be null");
        assert_eq!(refused(&format!("'[1,0]', '{ANN}'")), "22000 expected 3 dimensions, not 2");
        assert_eq!(refused(&format!("'[0,0,0]', '{ANN}'")), "22000 query_embedding has no direction");
        assert_eq!(refused("'[1,0,0]', null"), "22004 user_id_filter must not be null");
        for (count, shown) in [("null", "null"), ("0", "0"), ("-3", "-3"), ("1001", "1001")] {
            assert_eq!(
                refused(&format!("'[1,0,0]', '{ANN}', {count}")),
                format!("22023 match_count must be between 1 and 1000, not {shown}")
            );
        }
        assert_eq!(
            refused(&format!("'[1,0,0]', '{ANN}', 10, -1")),
            "22023 date_range_days must not be negative, not -1"
        );
    }

    #[pg_test(error = "expected 3 dimensions, not 4")]
    fn the_error_itself_says_what_was_expected() {
        sources();
        run(&format!("select strata.rag_search('[1,0,0,0]', '{ANN}')"));
    }

    #[pg_test]
    fn without_a_source_there_is_nothing_to_search() {
        tables();
        assert_eq!(refused(&format!("'[1,0,0]', '{ANN}'")), "55000 no source is registered for search");
    }

    #[pg_test]
    fn a_table_or_column_that_is_gone_is_named() {
        library();
        run("alter table public.task drop column notes");
        assert_eq!(
            refused(&format!("'[1,0,0]', '{ANN}'")),
            "42703 source \"task\": column \"notes\" of public.task does not exist"
        );
        run("drop table public.task");
        assert_eq!(
            refused(&format!("'[1,0,0]', '{ANN}'")),
            "42P01 source \"task\": table public.task does not exist"
        );
        run("select strata.drop_source('task')");
        assert_eq!(ask(&format!("select count(*) from strata.rag_search('[1,0,0]', '{ANN}')")), "10");
    }

    #[pg_test]
    fn a_key_that_is_unique_no_longer_is_refused_and_not_counted_twice() {
        library();
        let search = format!("'[1,0,0]', '{ANN}', 1000");
        let found = || ask(&format!("select count(*) from strata.rag_search({search})"));
        let before = found();
        run(
            "alter table public.task drop constraint task_pkey; insert into public.task select * from public.task",
        );
        assert_eq!(refused(&search), "42P10 source \"task\": column \"id\" of public.task is not unique");
        assert_eq!(
            ask("select s.fault from strata.sources() s where s.entity_type = 'task'"),
            "column \"id\" is not unique"
        );
        run("delete from public.task a using public.task b where a.ctid > b.ctid and a.id = b.id;
             create unique index on public.task (id) where name is not null;
             create unique index on public.task (id, name)");
        assert_eq!(refused(&search), "42P10 source \"task\": column \"id\" of public.task is not unique");
        run("create unique index on public.task (id)");
        assert_eq!(found(), before);
    }

    #[pg_test]
    fn a_column_whose_type_has_changed_is_named() {
        library();
        let search = format!("'[1,0,0]', '{ANN}'");
        run("alter table public.task alter column v type vector using null");
        let message = "42804 source \"task\": column \"v\" of public.task is of type vector, not vector(3)";
        assert_eq!(refused(&search), message);
        run("alter table public.task alter column v type vector(4)");
        assert_eq!(refused(&search), message.replace("vector,", "vector(4),"));
        run(
            "alter table public.task alter column v type vector(3), alter column user_id type date using '2026-01-01'",
        );
        assert_eq!(
            refused(&search),
            "42804 source \"task\": column \"user_id\" of public.task is of type date, not uuid, bigint or text"
        );
        run(
            "alter table public.task alter column user_id type uuid using gen_random_uuid(), alter column created_at type text",
        );
        assert_eq!(
            refused(&search),
            "42804 source \"task\": column \"created_at\" of public.task is of type text, not timestamptz"
        );
        run(
            "alter table public.task alter column created_at type date using '2026-01-01', alter column id type text",
        );
        assert_eq!(
            refused(&search),
            "42804 source \"task\": column \"id\" of public.task is of type text, not uuid",
            "its jobs have uuids"
        );
    }

    #[pg_test]
    fn a_hidden_row_is_found_by_nobody() {
        tables();
        run("alter table public.note add archived boolean; alter table public.task add deleted_at date;
             select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', array['body'], 'embedding', 'mini', hidden_column => 'archived');
             select strata.add_source('task', 'public.task', 'id', 'user_id', 'name', '{}', 'v', 'mini', hidden_column => 'deleted_at')");
        for (number, archived) in [(1, "null"), (2, "false"), (3, "true")] {
            run(&format!(
                "insert into public.note (id, user_id, title, embedding, archived) values ('{}', '{ANN}', 'note', '[1,0,0]', {archived})",
                id(number)
            ));
        }
        for (number, deleted_at) in [(4, "null"), (5, "'2026-01-02'"), (6, "'infinity'")] {
            run(&format!(
                "insert into public.task (id, user_id, name, v, deleted_at) values ('{}', '{ANN}', 'task', '[1,0,0]', {deleted_at})",
                id(number)
            ));
        }
        let found = || {
            list(&format!("select right(h.entity_id::text, 1) from strata.rag_search('[1,0,0]', '{ANN}') h"))
        };
        assert_eq!(found(), "1 2 4");
        run("update public.note set archived = not archived; update public.task set deleted_at = null");
        assert_eq!(found(), "1 3 4 5 6");
        run("alter table public.note alter column archived type text");
        assert_eq!(
            refused(&format!("'[1,0,0]', '{ANN}'")),
            "42804 source \"note\": column \"archived\" of public.note is of type text, not boolean or timestamptz"
        );
    }

    #[pg_test]
    fn a_json_that_is_no_jsonb_comes_as_text() {
        tables();
        run("alter table public.note add extra json, add parts json[];
             select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', array['body'], 'embedding', 'mini',
                 metadata_columns => array['extra', 'parts'])");
        let metadata = |extra: &str| {
            run("delete from public.note");
            run(&format!(
                "insert into public.note (user_id, title, embedding, extra, parts) values ('{ANN}', 'a', '[1,0,0]', {extra}, array[{extra}]::json[])"
            ));
            ask(&format!("select h.metadata from strata.rag_search('[1,0,0]', '{ANN}') h"))
        };
        assert_eq!(metadata("'{\"a\": 1}'"), "{\"extra\": {\"a\": 1}, \"parts\": [{\"a\": 1}]}");
        assert_eq!(
            metadata("'\"a\\u0000\"'"),
            "{\"extra\": \"\\\"a\\\\u0000\\\"\", \"parts\": \"[\\\"a\\\\u0000\\\"]\"}"
        );
        assert_eq!(
            metadata("'\"\\ud800\"'"),
            "{\"extra\": \"\\\"\\\\ud800\\\"\", \"parts\": \"[\\\"\\\\ud800\\\"]\"}"
        );
        assert_eq!(metadata("null"), "{\"extra\": null, \"parts\": [null]}");
    }

    #[pg_test]
    fn a_source_that_comes_and_goes_is_found_and_not_found() {
        library();
        let types = || {
            list(&format!(
                "select distinct h.entity_type from strata.rag_search('[1,0,0]', '{ANN}', 1000) h order by 1"
            ))
        };
        assert_eq!(types(), "note task");
        run("select strata.drop_source('note')");
        assert_eq!(types(), "task");
        run("alter table public.note rename title to heading;
             select strata.add_source('letter', 'public.note', 'id', 'user_id', 'heading', array['body'], 'embedding', 'mini')");
        assert_eq!(types(), "letter task");
    }

    #[pg_test]
    fn two_models_are_not_compared() {
        sources();
        run(
            "select strata.add_model('other', 'local', 3); update strata.source set model = 'other' where entity_type = 'task'",
        );
        assert_eq!(
            refused(&format!("'[1,0,0]', '{ANN}'")),
            "55000 sources use two models, \"mini\" and \"other\""
        );
    }

    #[pg_test]
    fn odd_names_stay_names() {
        tables();
        run("alter table public.note rename to \"od\"\"d 'table\"; alter table public.\"od\"\"d 'table\" rename body to \"bo;dy\";
             select strata.add_source('it''s \"odd\"', 'public.\"od\"\"d ''table\"', 'id', 'user_id', 'title', array['bo;dy'], 'embedding', 'mini',
                 metadata_columns => array['bo;dy'])");
        run(&format!(
            "insert into public.\"od\"\"d 'table\" (user_id, \"bo;dy\", embedding) values ('{ANN}', 'text', '[1,0,0]')"
        ));
        assert_eq!(
            ask(&format!(
                "select h.entity_type || h.content || h.metadata from strata.rag_search('[1,0,0]', '{ANN}') h"
            )),
            "it's \"odd\"text{\"bo;dy\": \"text\"}"
        );
        assert_eq!(ask("select count(*) from strata.job"), "0");
        run("select strata.set_text_search('it''s \"odd\"', 'english')");
        run(&ask(
            "select replace(strata.text_index_statement('it''s \"odd\"'), 'concurrently', '\"select\"')",
        ));
        assert_eq!(ask("select s.text_index from strata.sources() s"), "select");
        for arguments in
            ["query_text => 'text'", "query_text => 'text', diversity => 0.5", "diversity => 0.5"]
        {
            assert_eq!(
                ask(&format!("select h.content from strata.rag_search('[1,0,0]', '{ANN}', {arguments}) h")),
                "text"
            );
        }
    }

    #[pg_test]
    fn reserved_words_and_capitals_are_names_too() {
        tables();
        run("create schema \"User\";
             create table \"User\".\"select\" (\"order\" uuid primary key, \"Group\" uuid not null, \"limit\" text, \"from\" text,
                 \"End\" timestamptz not null default now(), \"default\" boolean, \"user\" bigint not null default 1);
             create table \"User\".\"table\" (\"all\" uuid primary key, \"Vector\" vector(3));
             select strata.add_source('select', '\"User\".\"select\"', 'order', 'Group', 'limit', array['from'], 'Vector', 'mini',
                 created_at_column => 'End', hidden_column => 'default', metadata_columns => array['user', 'limit'],
                 organisation_column => 'user', text_search_config => 'simple',
                 vector_relation => '\"User\".\"table\"', vector_key_column => 'all')");
        run(&format!(
            "insert into \"User\".\"select\" (\"order\", \"Group\", \"limit\", \"from\") values ('{0}', '{ANN}', 'title', 'text');
             insert into \"User\".\"table\" values ('{0}', '[1,0,0]')",
            id(1)
        ));
        run("set local search_path = ''");
        let found = |more: &str| {
            ask(&format!(
                "select h.title || h.content || h.metadata::text from strata.rag_search('[1,0,0]', '{ANN}'{more}) h"
            ))
        };
        for more in [
            "",
            ", query_text => 'text'",
            ", organisation_filter => '1'",
            ", diversity => 0.4, query_text => '\"title\"'",
        ] {
            assert_eq!(found(more), "titletext{\"user\": 1, \"limit\": \"title\"}", "{more}");
        }
    }
}
