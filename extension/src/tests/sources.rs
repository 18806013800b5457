//! Models and sources: what may be registered, and what is refused by name.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Registers note with one argument changed.
    fn add(change: &str) -> String {
        let mut arguments = vec![
            ("entity_type", "'note'"),
            ("relation", "'public.note'"),
            ("key_column", "'id'"),
            ("tenant_column", "'user_id'"),
            ("title_column", "'title'"),
            ("content_columns", "array['body']"),
            ("vector_column", "'embedding'"),
            ("model", "'mini'"),
        ];
        if let Some((name, value)) = change.split_once(" => ") {
            arguments.retain(|(n, _)| *n != name);
            arguments.push((name, value));
        }
        let named: Vec<String> = arguments.iter().map(|(n, v)| format!("{n} => {v}")).collect();
        format!("select strata.add_source({})", named.join(", "))
    }

    #[pg_test]
    fn a_model_is_added_once_and_dropped_when_nobody_uses_it() {
        sources();
        assert_eq!(
            refusal("select strata.add_model('mini', 'local', 3)"),
            "42710 model \"mini\" is known already"
        );
        assert_eq!(
            refusal("select strata.drop_model('mini')"),
            "2BP01 model \"mini\" is used by source \"note\""
        );
        assert_eq!(refusal("select strata.drop_model('maxi')"), "42704 model \"maxi\" does not exist");
        run(
            "select strata.drop_source('note'); select strata.drop_source('task'); select strata.drop_model('mini')",
        );
        assert_eq!(ask("select count(*) from strata.model"), "0");
    }

    #[pg_test]
    fn a_model_that_cannot_be_is_refused() {
        tables();
        assert_eq!(
            refusal("select strata.add_model(null, 'local', 3)"),
            "22004 a model needs a name, a provider and its dimensions"
        );
        assert_eq!(
            refusal("select strata.add_model('', 'local', 3)"),
            "22023 the name of a model must not be empty"
        );
        assert_eq!(
            refusal("select strata.add_model('m', 'acme', 3)"),
            "22023 provider \"acme\" is not known"
        );
        assert_eq!(
            refusal("select strata.add_model('m', 'local', 0)"),
            "22023 dimensions must be between 1 and 16000, not 0"
        );
        assert_eq!(
            refusal("select strata.add_model('m', 'local', 3, 0)"),
            "22023 max_tokens must be at least 1, not 0"
        );
    }

    #[pg_test]
    fn a_source_that_does_not_fit_its_table_is_refused() {
        tables();
        run("create view public.notes as select * from public.note;
             alter table public.note add wide vector(4), add free vector, add other uuid");
        let refused = |change| refusal(&add(change));
        assert_eq!(
            refused("entity_type => null"),
            "22004 a source needs an entity type, a table, a key, a tenant, content, a vector and a date"
        );
        assert_eq!(refused("entity_type => ''"), "22023 entity type \"\" must have 1 to 40 bytes");
        assert_eq!(refused("relation => 'public.notes'"), "42809 public.notes is not a table");
        assert_eq!(
            refused("key_column => 'nope'"),
            "42703 column \"nope\" of relation public.note does not exist"
        );
        assert_eq!(
            refused("key_column => 'other'"),
            "42P10 column \"other\" of relation public.note is not unique"
        );
        assert_eq!(
            refused("tenant_column => 'created_at'"),
            "42804 column \"created_at\" of relation public.note must be of type uuid, bigint or text, not timestamp with time zone"
        );
        assert_eq!(
            refused("content_columns => array['body', 'nope']"),
            "42703 column \"nope\" of relation public.note does not exist"
        );
        assert_eq!(
            refused("content_columns => array['other']"),
            "42804 column \"other\" of relation public.note must be of type text, not uuid"
        );
        assert_eq!(
            refused("created_at_column => 'title'"),
            "42804 column \"title\" of relation public.note must be of type timestamptz, not text"
        );
        assert_eq!(
            refused("metadata_columns => array['nope']"),
            "42703 column \"nope\" of relation public.note does not exist"
        );
        assert_eq!(
            refused("vector_column => 'title'"),
            "42804 column \"title\" of relation public.note must be of type vector(3)"
        );
        assert_eq!(refused("vector_column => 'wide'"), "22000 expected 3 dimensions, not 4");
        assert_eq!(refused("vector_column => 'free'"), "22000 expected 3 dimensions, not any");
        assert_eq!(refused("model => 'maxi'"), "42704 model \"maxi\" does not exist");
        assert_eq!(ask("select count(*) from strata.source"), "0");
    }

    #[pg_test]
    fn a_source_without_any_text_is_refused() {
        tables();
        let sql = add("title_column => null").replace("array['body']", "array[]::text[]");
        assert_eq!(refusal(&sql), "22023 source \"note\" has neither a title nor a content column");
    }

    #[pg_test]
    fn a_source_is_registered_once_and_forgotten_whole() {
        sources();
        note(1, "one", "a");
        assert_eq!(refusal(&add("")), "42710 source \"note\" is registered already");
        run("select strata.drop_source('note')");
        assert_eq!(jobs(), "null");
        assert_eq!(ask("select count(*) from pg_trigger where tgrelid = 'public.note'::regclass"), "0");
        assert_eq!(refusal("select strata.drop_source('note')"), "42704 source \"note\" does not exist");
        run(&add(""));
        run("drop table public.note; select strata.drop_source('note')");
    }

    #[pg_test]
    fn a_table_that_was_renamed_can_be_dropped_and_added_again() {
        sources();
        run(
            "alter table public.note rename to letter; create schema other; alter table public.letter set schema other",
        );
        run("select strata.drop_source('note')");
        assert_eq!(ask("select count(*) from pg_trigger where tgrelid = 'other.letter'::regclass"), "0");
        run(&add("").replace("public.note", "other.letter"));
        run(&format!("insert into other.letter (id, user_id, title) values ('{}', '{ANN}', 'one')", id(1)));
        assert_eq!(jobs(), "1/queued/f1/a0");
    }

    #[pg_test]
    fn a_table_that_triggers_cannot_watch_is_refused() {
        tables();
        run("create temp table draft (like public.note including all);
             create table public.child () inherits (public.note); alter table public.child add primary key (id);
             create table public.parted (like public.note including all) partition by hash (id);
             create table public.part partition of public.parted for values with (modulus 1, remainder 0)");
        let refused = |relation: &str| refusal(&add("").replace("public.note", relation));
        assert_eq!(refused("pg_temp.draft"), "42809 draft is a temporary table");
        assert_eq!(refused("public.child"), "42809 public.child is a part of public.note");
        assert_eq!(refused("public.part"), "42809 public.part is a part of public.parted");
        assert_eq!(refused("public.note"), "42809 public.note has tables that inherit from it");
        assert_eq!(
            refusal(&add("").replace("'mini'", "'mini', hidden_column => 'title'")),
            "42809 public.note has tables that inherit from it"
        );
        run("drop table public.child");
        assert_eq!(
            refusal(&add("").replace("'mini'", "'mini', hidden_column => 'title'")),
            "42804 column \"title\" of relation public.note must be of type boolean or timestamptz, not text"
        );
        assert_eq!(
            refusal(&add("").replace("'mini'", "'mini', hidden_column => 'nope'")),
            "42703 column \"nope\" of relation public.note does not exist"
        );
    }

    #[pg_test]
    fn what_is_written_to_a_partition_by_its_own_name_is_queued() {
        tables();
        run("create table public.parted (like public.note including defaults) partition by range (created_at);
             alter table public.parted add unique (id, created_at);
             create table public.keyed (like public.note including defaults) partition by hash (id);
             alter table public.keyed add primary key (id);
             create table public.first partition of public.keyed for values with (modulus 2, remainder 0)");
        run(&add("").replace("public.note", "public.keyed"));
        // A partition that comes later, with its columns in another order.
        run("create table public.second (body text, embedding vector(3), title text, mood text, embedding_model text, embedded_at timestamptz,
                 created_at timestamptz not null default now(), user_id uuid not null, id uuid not null default gen_random_uuid());
             alter table public.keyed attach partition public.second for values with (modulus 2, remainder 1)");
        for partition in ["first", "second"] {
            run(&format!(
                "with given as (
                     select gen_random_uuid() as id from generate_series(1, 200)
                 ), mine as (
                     select g.id from given g
                     where satisfies_hash_partition('public.keyed'::regclass, 2, case '{partition}' when 'first' then 0 else 1 end, g.id) limit 1
                 )
                 insert into public.{partition} (id, user_id, title) select m.id, '{ANN}', '{partition}' from mine m"
            ));
        }
        assert_eq!(list("select state from strata.job"), "queued queued");
        run(
            "update public.keyed set embedding = '[1,0,0]'; delete from strata.job; update public.second set mood = 'x'",
        );
        assert_eq!(ask("select count(*) from strata.job"), "0");
        run("update public.first set title = 'changed'; update public.second set body = 'changed'");
        assert_eq!(ask("select count(*) from strata.job"), "2");
        run(
            "update public.keyed set title = 'again'; insert into public.keyed (user_id, title) values (gen_random_uuid(), 'new')",
        );
        assert_eq!(ask("select count(*) from strata.job where state = 'queued'"), "3");
        run("delete from public.keyed");
        assert_eq!(ask("select count(*) from strata.job"), "0");
        run("select strata.drop_source('note')");
        assert_eq!(
            ask(
                "select count(*) from pg_proc p where p.pronamespace = 'strata'::regnamespace and p.proname like 'watch %'"
            ),
            "0"
        );
    }

    #[pg_test]
    fn the_list_of_sources_says_what_is_wrong_with_each() {
        sources();
        run("create index task_user on public.task (user_id, created_at)");
        let told = || {
            list(
                "select format('%s %s %s: %s;', s.entity_type, s.relation, coalesce(s.tenant_index, '-'), coalesce(s.fault, 'fine'))
                 from strata.sources() s",
            )
        };
        assert_eq!(told(), "note public.note -: fine; task public.task public.task_user: fine;");
        run(
            "alter table public.note disable trigger strata_update_note; alter table public.task drop column notes",
        );
        assert_eq!(
            told(),
            "note public.note -: the table is not watched: changes of its texts queue no job; \
             task public.task public.task_user: column \"notes\" does not exist;"
        );
        run("alter table public.note enable trigger strata_update_note;
             alter table public.note alter column embedding type vector(4) using null; drop table public.task");
        assert_eq!(
            told(),
            "note public.note -: column \"embedding\" is of type vector(4), not vector(3); task public.task -: the table does not exist;"
        );
        run("alter table public.note alter column embedding type vector(3); alter table public.note rename to old_note;
             create table public.note (like public.old_note including all)");
        assert!(told().starts_with("note public.note -: the table is not watched"));
    }

    #[pg_test]
    fn one_table_may_be_two_sources() {
        sources();
        assert_eq!(
            refusal(&add("entity_type => 'title of a note'")),
            "42710 source \"note\" has the vectors of column \"embedding\" already"
        );
        run("alter table public.note add title_embedding vector(3)");
        run(&add("entity_type => 'title of a note'")
            .replace("'embedding'", "'title_embedding'")
            .replace("array['body']", "'{}'"));
        note(1, "one", "a");
        run("update public.note set body = 'b'");
        assert_eq!(
            list("select entity_type || j.fence from strata.job j order by 1"),
            "note2 title of a note1"
        );
    }

    #[pg_test]
    fn the_text_of_a_row_leaves_out_what_is_null_or_empty() {
        sources();
        run(&format!("insert into public.task (id, user_id, name, description, notes) values ('{}', '{ANN}', 'a', null, 'c'),
                 ('{}', '{ANN}', 'a', '', '')", id(1), id(2)));
        assert_eq!(
            list(&format!(
                "select replace(t.content, chr(10), '|') from strata.source_text('task', array['{}', '{}', '{}']::uuid[]) t order by t.id",
                id(1),
                id(2),
                id(3)
            )),
            "a|c a"
        );
    }
}
