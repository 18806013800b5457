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
            refused("tenant_column => 'title'"),
            "42804 column \"title\" of relation public.note must be of type uuid, not text"
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
    fn one_table_may_be_two_sources() {
        sources();
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
