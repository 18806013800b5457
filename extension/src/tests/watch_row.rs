//! The first look at an updated row: who is handed to the source's own function, and who is not.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// A note whose text lies outside its row, and nothing queued.
    fn long_note() {
        sources();
        run("alter table public.note alter column body set storage external");
        note(1, "one", &"long ".repeat(2_000));
        run("delete from strata.job");
    }

    /// How often the function of the source was called by these statements.
    fn calls(sql: &str) -> i64 {
        run("set local track_functions = 'all'");
        let count = || {
            Spi::get_one::<i64>(
                "select pg_stat_get_xact_function_calls('strata.\"watch note\"()'::regprocedure)",
            )
            .expect("a count")
            .unwrap_or(0)
        };
        let before = count();
        run(sql);
        count() - before
    }

    #[pg_test]
    fn an_update_of_other_columns_is_not_handed_over_however_long_the_text() {
        long_note();
        assert_eq!(calls("update public.note set mood = 'calm', embedding_model = 'x'"), 0);
        assert_eq!(calls("update public.note set embedding = '[1,0,0]'"), 0);
        assert_eq!(jobs(), "null");
    }

    #[pg_test]
    fn the_same_text_in_other_bytes_is_handed_over_and_queues_nothing() {
        long_note();
        assert_eq!(calls("update public.note set body = body || ''"), 1);
        assert_eq!(jobs(), "null");
    }

    #[pg_test]
    fn a_text_a_key_and_a_vector_that_change_are_handed_over() {
        long_note();
        assert_eq!(calls("update public.note set body = body || '.'"), 1);
        assert_eq!(jobs(), "1/queued/f1/a0");
        run("update public.note set embedding = '[1,0,0]'; delete from strata.job");
        assert_eq!(calls("update public.note set embedding = null"), 1);
        assert_eq!(jobs(), "1/queued/f1/a0");
        run("delete from strata.job");
        assert_eq!(calls(&format!("update public.note set id = '{}'", id(2))), 1);
        assert_eq!(jobs(), "2/queued/f1/a0");
        assert_eq!(calls("update public.note set title = null"), 1);
        assert_eq!(calls("update public.note set title = null, mood = 'calm'"), 0);
    }

    #[pg_test]
    fn a_renamed_column_is_handed_over() {
        long_note();
        run("alter table public.note rename column body to words");
        assert_eq!(calls("update public.note set mood = 'calm'"), 1);
        assert_eq!(jobs(), "1/queued/f1/a0");
    }

    #[pg_test]
    fn a_source_is_unwatched_by_its_name_and_no_other() {
        sources();
        run("alter table public.note add v vector(3);
             select strata.add_source('no', 'public.note', 'id', 'user_id', 'title', array['body'], 'v', 'mini');
             select strata.drop_source('no')");
        assert_eq!(
            list("select t.tgname from pg_trigger t where t.tgrelid = 'public.note'::regclass order by 1"),
            "strata_delete_note strata_insert_note strata_truncate_note strata_update_note"
        );
    }

    #[pg_test]
    fn a_call_that_is_not_the_trigger_of_an_updated_row_is_refused() {
        long_note();
        let told = "39P01 strata.watch_row is a trigger after the update of a row";
        assert_eq!(refusal("select strata.watch_row()"), told);
        run(
            "create trigger odd after update on public.note for each row execute function strata.watch_row('note')",
        );
        assert_eq!(refusal("update public.note set mood = 'x'"), told);
        run("drop trigger odd on public.note;
             create trigger odd after insert on public.note for each row
                 execute function strata.watch_row('note', 'id', 'body')");
        assert_eq!(refusal(&format!("insert into public.note (user_id) values ('{ANN}')")), told);
        run("drop trigger odd on public.note;
             create trigger odd after update on public.note for each statement
                 execute function strata.watch_row('note', 'id', 'body')");
        assert_eq!(refusal("update public.note set mood = 'x'"), told);
    }

    #[pg_test]
    fn a_source_whose_function_is_gone_says_so() {
        long_note();
        run("drop function strata.\"watch note\"() cascade");
        assert_eq!(
            refusal("update public.note set body = 'new'"),
            "42883 function strata.\"watch note\" does not exist"
        );
        run("update public.note set mood = 'calm'");
    }
}
