//! Sources of other shapes: embeddings in a table of their own, keys and tenants that are no uuids, organisations.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Notes and tasks whose embeddings stand in one table, by entity type and key; some keys are those of both.
    fn central() {
        tables();
        run(&format!(
            "create table public.embeddings (
                 entity_type varchar(20) not null, entity_id uuid not null, embedding vector(3), primary key (entity_type, entity_id));
             insert into public.note (id, user_id, title, body, mood) select ('00000000-0000-0000-0000-00000000000' || g)::uuid, '{ANN}', 'note ' || g, 'rent', 'calm' from generate_series(1, 5) g;
             insert into public.task (id, user_id, name) select ('00000000-0000-0000-0000-00000000000' || g)::uuid, '{ANN}', 'task ' || g from generate_series(4, 8) g;
             insert into public.embeddings select 'note', id, format('[%s,1,0]', 10 - right(id::text, 1)::int)::vector from public.note where title <> 'note 3';
             insert into public.embeddings select 'task', id, format('[1,%s,0]', right(id::text, 1))::vector from public.task"
        ));
        for (entity_type, title) in [("note", "title"), ("task", "name")] {
            run(&format!(
                "select strata.add_source('{entity_type}', 'public.{entity_type}', 'id', 'user_id', '{title}', '{{}}', 'embedding', 'mini',
                     vector_relation => 'public.embeddings', vector_key_column => 'entity_id', vector_type_column => 'entity_type')"
            ));
        }
    }

    /// Four sources: keys and tenants bigint, text and varchar, bigint with organisations of uuid, uuid with a text tenant.
    fn mixed() {
        tables();
        run(&format!(
            "create table public.post (id bigint primary key, author int not null, title text, created_at date not null default now(), v vector(3));
             create table public.page (slug text primary key, owner varchar(40) not null, title text, created_at timestamptz not null default now(), v vector(3));
             create table public.ticket (id bigint primary key, author text not null, org uuid not null, title text, created_at timestamptz not null default now(), v vector(3));
             create table public.memo (id uuid primary key, author text not null, title text, created_at timestamptz not null default now(), v vector(3));
             insert into public.post (id, author, title, v) select g, 7 + g % 2, 'post ' || g, format('[1,%s,0]', g)::vector from generate_series(1, 8) g;
             insert into public.page (slug, owner, title, v) select 'p/' || g, 'user_' || g % 2, 'page ' || g, format('[1,%s,0]', g)::vector from generate_series(1, 8) g;
             insert into public.ticket (id, author, org, title, v) select g, 'user_0', (case when g > 5 then '{ANN}' else '{BOB}' end)::uuid, 'ticket', format('[1,%s,0]', g)::vector from generate_series(1, 8) g;
             insert into public.memo (id, author, title, v) select ('00000000-0000-0000-0000-00000000000' || g)::uuid, '{ANN}', 'memo', format('[1,%s,0]', g)::vector from generate_series(1, 3) g;
             select strata.add_source('post', 'public.post', 'id', 'author', 'title', '{{}}', 'v', 'mini');
             select strata.add_source('page', 'public.page', 'slug', 'owner', 'title', '{{}}', 'v', 'mini', text_search_config => 'english');
             select strata.add_source('ticket', 'public.ticket', 'id', 'author', 'title', '{{}}', 'v', 'mini', organisation_column => 'org');
             select strata.add_source('memo', 'public.memo', 'id', 'author', 'title', '{{}}', 'v', 'mini')"
        ));
    }

    fn numbers(call: &str) -> String {
        list(&format!("select h.entity_type || right(h.entity_id::text, 1) from strata.{call} h"))
    }

    #[pg_test]
    fn embeddings_in_a_table_of_their_own_are_searched() {
        central();
        let search = |options: &str| numbers(&format!("rag_search('[1,0,0]', '{ANN}', {options})"));
        let all = "note1 note2 note4 note5 task4 task5 task6 task7 task8";
        assert_eq!(search("100"), all, "a note without an embedding has no place");
        assert_eq!(search("3"), "note1 note2 note4");
        assert_eq!(search("100, entity_types => '{task}', minimum_similarity => 0.19"), "task4 task5");
        assert_eq!(search("2, metadata_filter => '{}', date_range_days => 1"), "note1 note2");
        assert_eq!(
            ask(&format!(
                "select count(*) from strata.rag_search('[1,0,0]', '{ANN}', 100, diversity => 0.5)"
            )),
            "9"
        );
        run("select strata.set_text_search('note', 'english')");
        assert_eq!(
            search("1, query_text => 'note 3', text_weight => 1"),
            "note3",
            "by its words all the same"
        );
        assert_eq!(
            numbers(&format!("find_similar_content('note', '{}', -1, 3)", id(4))),
            "note5 note2 note1",
            "not the task of the same key, and not itself"
        );
        assert_eq!(
            refusal(&format!("select * from strata.find_similar_content('note', '{}')", id(3))),
            format!("55000 note {} has no embedding", id(3))
        );
        assert_eq!(
            list(&format!(
                "select e.entity_type || e.rows_scanned || '/' || e.rows_found from strata.search_explain('[1,0,0]', '{ANN}', 3) e"
            )),
            "note4/3 task5/3"
        );
    }

    #[pg_test]
    fn a_table_of_embeddings_that_has_changed_is_named() {
        central();
        let search = || refusal(&format!("select * from strata.rag_search('[1,0,0]', '{ANN}')"));
        let fault = || ask("select s.fault from strata.sources() s where s.entity_type = 'note'");
        run("alter table public.embeddings drop constraint embeddings_pkey;
             insert into public.embeddings select * from public.embeddings");
        let many = "a row of public.note can have several embeddings in public.embeddings";
        assert_eq!(search(), format!("42P10 source \"note\": {many}"));
        assert_eq!(fault(), "a row can have several embeddings in public.embeddings");
        run("delete from public.embeddings a using public.embeddings b
             where a.ctid > b.ctid and a.entity_type = b.entity_type and a.entity_id = b.entity_id;
             create unique index on public.embeddings (entity_id, entity_type)");
        assert_eq!(numbers(&format!("rag_search('[1,0,0]', '{ANN}', 3)")), "note1 note2 note4");
        run("alter table public.embeddings rename entity_id to of");
        assert_eq!(
            search(),
            "42703 source \"note\": column \"embeddings.entity_id\" of public.note does not exist"
        );
        assert_eq!(fault(), "column \"entity_id\" does not exist");
        run("drop table public.embeddings");
        let gone = "the table public.embeddings of its embeddings does not exist";
        assert_eq!(search(), format!("42P01 source \"note\": {gone}"));
        assert_eq!(fault(), gone);
    }

    #[pg_test]
    fn the_application_writes_such_embeddings_itself() {
        central();
        assert_eq!(
            ask(
                "select count(*) from pg_trigger where tgrelid in ('public.note'::regclass, 'public.task'::regclass)"
            ),
            "0"
        );
        run(
            "insert into public.note (user_id, title) values (gen_random_uuid(), 'new'); update public.note set title = 'x'",
        );
        assert_eq!(ask("select count(*) from strata.job"), "0");
        assert_eq!(
            refusal("select strata.enqueue_missing('note')"),
            "0A000 the embeddings of source \"note\" are the application's to write"
        );
        run("select strata.add_model('other', 'local', 3)");
        assert_eq!(
            refusal("select strata.start_model_change('mini', 'other')"),
            "0A000 the embeddings of source \"note\" are the application's to write"
        );
        assert_eq!(list("select coalesce(s.fault, 'fine') from strata.sources() s"), "fine fine");
        assert_eq!(list("select coalesce(q.missing::text, '-') from strata.queue_status() q"), "- -");
        assert_eq!(ask("select e.state from strata.embedded_state() e"), "met");
        run("alter table public.embeddings drop column embedding");
        assert_eq!(
            refusal(&format!("select * from strata.rag_search('[1,0,0]', '{ANN}')")),
            "42703 source \"note\": column \"embeddings.embedding\" of public.note does not exist"
        );
        run("drop table public.embeddings");
        assert_eq!(
            refusal(&format!("select * from strata.rag_search('[1,0,0]', '{ANN}')")),
            "42P01 source \"note\": the table public.embeddings of its embeddings does not exist"
        );
        assert_eq!(
            list("select s.fault || ';' from strata.sources() s limit 1"),
            "the table public.embeddings of its embeddings does not exist;"
        );
        run("select strata.drop_source('note'); select strata.drop_source('task')");
        assert_eq!(ask("select count(*) from strata.source"), "0");
    }

    #[pg_test]
    fn policies_of_both_tables_decide() {
        central();
        run(&format!(
            "create role reader; grant usage on schema strata to reader;
             grant select on public.note, public.task, strata.source, strata.model to reader;
             grant execute on function strata.rag_search to reader;
             alter table public.embeddings enable row level security;
             set local request.jwt.claims = '{{\"sub\": \"{ANN}\"}}'; set local role reader"
        ));
        let search = "select * from strata.rag_search('[1,0,0]', null, 100)";
        assert_eq!(refusal(search), "42501 permission denied for every source");
        run("reset role; grant select on public.embeddings to reader; set local role reader");
        assert_eq!(numbers("rag_search('[1,0,0]', null, 100)"), "null", "no policy shows an embedding");
        run(
            "reset role; create policy one on public.embeddings using (entity_type = 'task'); set local role reader",
        );
        assert_eq!(numbers("rag_search('[1,0,0]', null, 2)"), "task4 task5");
    }

    #[pg_test]
    fn keys_and_tenants_of_any_type_are_named_by_text() {
        mixed();
        let search = |tenant: &str, types: &str, more: &str| {
            list(&format!(
                "select h.entity_type || ':' || h.entity_id from strata.search('[1,0,0]', '{tenant}', 3, entity_types => '{{{types}}}'{more}) h"
            ))
        };
        assert_eq!(search("7", "post", ""), "post:2 post:4 post:6");
        assert_eq!(search("8", "post", ", diversity => 0.01"), "post:1 post:3 post:5");
        assert_eq!(search("user_1", "page", ""), "page:p/1 page:p/3 page:p/5");
        assert_eq!(
            search("user_1", "page", ", query_text => 'page 5', text_weight => 1"),
            "page:p/5 page:p/1 page:p/3"
        );
        assert_eq!(search("user_0", "page,ticket", ""), "ticket:1 page:p/2 ticket:2");
        assert_eq!(
            search("user_0", "ticket", &format!(", organisation_filter => '{ANN}'")),
            "ticket:6 ticket:7 ticket:8"
        );
        assert_eq!(search("user_0", "ticket", &format!(", organisation_filter => '{}'", id(1))), "null");
        assert_eq!(search(ANN, "memo", ""), format!("memo:{} memo:{} memo:{}", id(1), id(2), id(3)));
        let refused =
            |arguments: &str| refusal(&format!("select * from strata.search('[1,0,0]', {arguments})"));
        assert_eq!(refused("'ann', entity_types => '{post}'"), "22P02 user_id_filter \"ann\" is no bigint");
        assert_eq!(
            refused(&format!("'user_0', entity_types => '{{ticket,page}}', organisation_filter => '{ANN}'")),
            "55000 source \"page\" has no organisations"
        );
        assert_eq!(
            refused("'user_0', organisation_filter => 'x', entity_types => '{post,page}'"),
            "55000 source \"page\" has no organisations",
            "that posts have no such tenant is not what is in the way"
        );
        assert_eq!(
            refused("'user_0', organisation_filter => 'x', entity_types => '{ticket}'"),
            "22P02 organisation_filter \"x\" is no uuid"
        );
        assert_eq!(refused("null"), "22004 user_id_filter must not be null");
    }

    #[pg_test]
    fn a_search_by_text_leaves_out_what_can_have_no_such_tenant() {
        mixed();
        assert_eq!(numbers("search('[1,0,0]', 'user_1', 100)"), "page1 page3 page5 page7");
        assert_eq!(numbers("search('[1,0,0]', '7', 100)"), "post2 post4 post6 post8");
        assert_eq!(numbers(&format!("search('[1,0,0]', '{ANN}', 100)")), "memo1 memo2 memo3");
        run("select strata.drop_source('page'), strata.drop_source('memo'), strata.drop_source('ticket')");
        assert_eq!(
            refusal("select * from strata.search('[1,0,0]', 'user_1')"),
            "22P02 user_id_filter \"user_1\" is no bigint"
        );
    }

    #[pg_test]
    fn a_search_begins_at_a_row_of_any_key() {
        mixed();
        assert_eq!(numbers("find_similar('post', '4', -1, 10)"), "post6 post8 post2");
        assert_eq!(numbers("find_similar('page', 'p/3', -1, 2)"), "page5 page7");
        assert_eq!(numbers(&format!("find_similar('memo', '{}', -1)", id(2))), "memo3 memo1");
        assert_eq!(numbers("find_similar('page', 'p/3', 1)"), "null", "nothing is that near");
        for (arguments, message) in [
            ("'post', 'four'", "22P02 input_entity_id \"four\" is no bigint"),
            ("'post', '40'", "42704 post \"40\" does not exist"),
            ("'page', null", "22004 input_entity_id must not be null"),
            ("'x', '4'", "42704 input_entity_type: entity type \"x\" is not a source"),
        ] {
            assert_eq!(refusal(&format!("select * from strata.find_similar({arguments})")), message);
        }
        run("update public.post set v = null where id = 4");
        assert_eq!(
            refusal("select * from strata.find_similar('post', '4')"),
            "55000 post \"4\" has no embedding"
        );
        run("create role reader; grant usage on schema strata to reader");
        run("set local role reader");
        assert_eq!(
            refusal("select * from strata.find_similar('post', '4')"),
            "42501 permission denied for function find_similar"
        );
    }

    #[pg_test]
    fn a_store_takes_part_in_a_search_by_text() {
        mixed();
        run(&format!(
            "alter table public.note drop embedding;
             select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', '{{body}}', null, 'mini', embedded_at_column => 'embedded_at', store => 'halfvec');
             insert into public.note (id, user_id, title) select ('00000000-0000-0000-0000-00000000000' || g)::uuid, '{ANN}', 'note' from generate_series(1, 4) g;
             select strata.store_vectors(s, array_agg(n.id), array_agg(format('[1,%s,0]', right(n.id::text, 1)::int - 0.5)::vector))
             from strata.source s, public.note n where s.entity_type = 'note' group by s"
        ));
        let all = "note1 memo1 note2 memo2 note3 memo3 note4";
        assert_eq!(numbers(&format!("search('[1,0,0]', '{ANN}', 100)")), all);
        assert_eq!(numbers(&format!("search('[1,0,0]', '{ANN}', 2)")), "note1 memo1");
        assert_eq!(numbers(&format!("rag_search('[1,0,0]', '{ANN}', 100)")), all);
        assert_eq!(
            numbers(&format!(
                "search('[1,0,0]', '{ANN}', 3, diversity => 0.01, source_weights => '{{\"note\": 1}}')"
            )),
            "note1 memo1 note2"
        );
        assert_eq!(numbers(&format!("find_similar('note', '{}', -1, 2)", id(2))), "memo2 memo1");
        assert_eq!(numbers("search('[1,0,0]', 'user_1', 1)"), "page1", "whose tenants are no uuids");
    }

    #[pg_test]
    fn vectors_move_from_a_column_into_a_store() {
        tables();
        let add = |vectors: &str| {
            format!(
                "select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', '{{body}}', {vectors}, embedded_at_column => 'embedded_at')"
            )
        };
        run(&add("'embedding', 'mini'"));
        run(&format!(
            "insert into public.note (id, user_id, title) select ('00000000-0000-0000-0000-00000000000' || g)::uuid, '{ANN}', 'note' from generate_series(1, 5) g;
             select strata.store_vectors(s, array_agg(n.id), array_agg(format('[1,%s,0]', right(n.id::text, 1))::vector))
             from strata.source s, public.note n where n.title = 'note' and s.entity_type = 'note' group by s;
             delete from strata.job; update public.note set title = 'changed' where id = '{}'",
            id(2)
        ));
        let search = format!("rag_search('[1,0,0]', '{ANN}')");
        assert_eq!(numbers(&search), "note1 note2 note3 note4 note5");
        run("lock table public.note in share row exclusive mode;
             create temporary table moved on commit drop as
                 select t.id, t.embedding as vector from public.note t
                 where t.embedding is not null
                   and not exists (select from strata.job j where j.entity_type = 'note' and j.entity_id = t.id);
             select strata.drop_source('note')");
        run(&add("null, 'mini', store => 'halfvec'"));
        run("select strata.store_vectors(s, array_agg(m.id), array_agg(m.vector))
             from strata.source s, moved m where s.entity_type = 'note' group by s;
             alter table public.note drop column embedding");
        assert_eq!(numbers(&search), "note1 note3 note4 note5", "the changed one waits for its vector");
        assert_eq!(ask("select enqueued from strata.enqueue_missing('note')"), "1");
        assert_eq!(list("select j.entity_id::text from strata.job j"), id(2));
        assert_eq!(list("select coalesce(s.fault, 'fine') from strata.sources() s"), "fine");
    }

    #[pg_test]
    fn a_store_is_for_tenants_that_are_uuids() {
        mixed();
        run(
            "alter table public.page add embedded_at timestamptz; alter table public.memo add embedded_at timestamptz",
        );
        let add = |table: &str, key: &str, tenant: &str| {
            refusal(&format!(
                "select strata.add_source('more', 'public.{table}', '{key}', '{tenant}', 'title', '{{}}', null, 'mini',
                     embedded_at_column => 'embedded_at', store => 'halfvec')"
            ))
        };
        assert_eq!(
            add("page", "slug", "owner"),
            "42804 column \"owner\" of relation public.page must be of type uuid, not character varying(40)"
        );
        assert_eq!(
            add("memo", "id", "author"),
            "42804 column \"author\" of relation public.memo must be of type uuid, not text"
        );
        assert_eq!(
            refusal(
                "select strata.add_source('more', 'public.memo', 'id', 'author', 'title', '{}', null, 'mini', embedded_at_column => 'embedded_at',
                     store => 'halfvec', vector_relation => 'public.page', vector_key_column => 'slug')"
            ),
            "22023 a source keeps its vectors in a column or in a store, not in both"
        );
    }

    #[pg_test]
    fn a_search_by_uuid_leaves_out_what_has_none_and_says_so() {
        mixed();
        assert_eq!(numbers(&format!("rag_search('[1,0,0]', '{ANN}', 100)")), "memo1 memo2 memo3");
        assert_eq!(
            refusal(&format!(
                "select * from strata.rag_search('[1,0,0]', '{ANN}', entity_types => '{{memo,post}}')"
            )),
            "55000 source \"post\" has keys of type bigint and tenants of type bigint"
        );
        assert_eq!(
            list(&format!(
                "select e.entity_type || ' ' || e.way || ';' from strata.search_explain('[1,0,0]', '{ANN}') e where e.way <> 'exact'"
            )),
            "page left out; post left out; ticket left out;"
        );
        assert_eq!(
            refusal("select * from strata.find_similar_content('post', gen_random_uuid())"),
            "55000 source \"post\" has keys of type bigint and tenants of type bigint"
        );
        run("select strata.drop_source('memo')");
        assert_eq!(
            refusal(&format!("select * from strata.rag_search('[1,0,0]', '{ANN}')")),
            "55000 source \"page\" has keys of type text and tenants of type text"
        );
    }

    #[pg_test]
    fn a_caller_need_not_be_a_uuid() {
        mixed();
        run("alter table public.page enable row level security; create role reader; grant usage on schema strata to reader;
             grant select on public.page, strata.source, strata.model to reader;
             grant execute on function strata.search to reader;
             create policy own on public.page using (owner = current_setting('request.jwt.claims')::jsonb ->> 'sub');
             set local request.jwt.claims = '{\"sub\": \"user_1\"}'; set local role reader");
        assert_eq!(numbers("search('[1,0,0]', null, 2)"), "page1 page3");
        assert_eq!(numbers("search('[1,0,0]', 'user_1', 2)"), "page1 page3");
        assert_eq!(
            refusal("select * from strata.search('[1,0,0]', 'user_0')"),
            "42501 user_id_filter \"user_0\" is not the caller"
        );
        run("reset request.jwt.claims");
        assert_eq!(
            refusal("select * from strata.search('[1,0,0]', null)"),
            "22004 user_id_filter is null and the caller is not known"
        );
    }

    #[pg_test]
    fn a_table_of_embeddings_that_cannot_be_joined_is_refused() {
        tables();
        run("create table public.vectors (note_id uuid, kind text, number bigint unique, v vector(3), wide vector(4));
             create view public.seen as select * from public.vectors;
             create unique index on public.vectors (note_id) where kind = 'note'");
        let add = |more: &str| {
            refusal(&format!(
                "select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', '{{body}}', 'v', 'mini', {more})"
            ))
        };
        let own = "vector_relation => 'public.vectors', vector_key_column =>";
        for (more, message) in [
            ("vector_key_column => 'note_id'", "22023 column \"note_id\" needs a table of embeddings"),
            ("vector_relation => 'public.vectors'", "22004 vector_key_column must not be null"),
            (
                "vector_relation => 'public.seen', vector_key_column => 'note_id'",
                "42809 public.seen is not a table",
            ),
            (&format!("{own} 'gone'"), "42703 column \"gone\" of relation public.vectors does not exist"),
            (
                &format!("{own} 'v'"),
                "42804 column \"v\" of relation public.vectors must be of type uuid, bigint or text, not public.vector(3)",
            ),
            (
                &format!("{own} 'number'"),
                "42804 column \"number\" of relation public.vectors has another type than column \"id\" of relation public.note",
            ),
            (
                &format!("{own} 'note_id'"),
                "42P10 a row of public.note can have several embeddings in public.vectors",
            ),
            (
                &format!("{own} 'note_id', vector_type_column => 'kind'"),
                "42P10 a row of public.note can have several embeddings in public.vectors",
            ),
            (
                "organisation_column => 'mood', hidden_column => 'gone'",
                "42703 column \"gone\" of relation public.note does not exist",
            ),
            (
                "organisation_column => 'created_at'",
                "42804 column \"created_at\" of relation public.note must be of type uuid, bigint or text, not timestamp with time zone",
            ),
        ] {
            assert_eq!(add(more), message, "{more}");
        }
        run("create unique index on public.vectors (kind, note_id)");
        assert!(add(&format!("{own} 'note_id'")).starts_with("42P10"), "several kinds");
        run(&format!(
            "select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', '{{body}}', 'v', 'mini', {own} 'note_id', vector_type_column => 'kind')"
        ));
    }
}
