//! Texts that are embedded in parts, and rows that are embedded again.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Notes with a store, in parts of three tokens.
    fn library() {
        tables();
        run("select strata.add_source('note', 'public.note', 'id', 'user_id', 'title', array['body'], null, 'mini',
                 model_column => 'embedding_model', embedded_at_column => 'embedded_at', store => 'vector',
                 text_search_config => 'simple');
             select strata.set_chunking('note', 3, 1)");
    }

    /// Completes a note that is claimed now with a vector for each of its parts.
    fn complete_parts(number: u32, vectors: &[&str]) -> String {
        let (n, vectors) = (vectors.len(), vectors.join("', '"));
        ask(&format!(
            "select c.stored || ' stored, ' || c.stale || ' stale' from (
                 select array_fill(j.entity_type, array[{n}]) as t, array_fill(j.entity_id, array[{n}]) as i,
                        array_fill(j.fence, array[{n}]) as f, array_fill(j.content_hash, array[{n}]) as h
                 from strata.claim_jobs('w') j where j.entity_id = '{}') x,
             strata.complete_jobs(x.t, x.i, x.f, x.h, array['{vectors}']::vector[], 'mini',
                                  array(select generate_series(0, {n} - 1))) c",
            id(number)
        ))
    }

    fn parts() -> String {
        list(
            "select right(v.entity_id::text, 1) || '/' || v.chunk from strata_vectors.mini v order by v.entity_id, v.chunk",
        )
    }

    fn found(vector: &str, rest: &str) -> String {
        list(&format!(
            "select right(h.entity_id::text, 1) || ' ' || round(h.similarity::numeric, 2)
             from strata.rag_search('{vector}', '{ANN}'{rest}) h"
        ))
    }

    #[pg_test]
    fn a_row_is_found_once_by_the_part_that_fits_best() {
        library();
        note(1, "one", "a b c");
        assert_eq!(
            ask(
                "select j.chunk_tokens || ' ' || j.chunk_overlap from strata.claim_jobs('x', lease => '1 microsecond') j"
            ),
            "3 1"
        );
        assert_eq!(complete_parts(1, &["[1,0,0]", "[0,1,0]", "[0,0,1]"]), "1 stored, 0 stale");
        note(2, "two", "d");
        assert_eq!(complete_parts(2, &["[0,3,4]"]), "1 stored, 0 stale");
        assert_eq!(parts(), "1/0 1/1 1/2 2/0");
        for rest in [
            "",
            ", source_weights => '{\"note\": 1}'",
            ", diversity => 0.1",
            ", query_text => 'one', text_weight => 0",
            ", 2, minimum_similarity => 0.5",
        ] {
            assert_eq!(found("[0,1,0]", rest), "1 1.00 2 0.60", "{rest}");
        }
        assert_eq!(found("[0,1,0]", ", query_text => 'two', text_weight => 1"), "2 0.60 1 1.00");
        assert_eq!(found("[0,1,0]", ", 1"), "1 1.00");
        assert_eq!(
            list(&format!(
                "select right(h.entity_id::text, 1) from strata.find_similar_content('note', '{}', null, 20) h",
                id(1)
            )),
            "2"
        );
        assert_eq!(
            ask(
                "select embedding_model || ' ' || (embedded_at is not null) from public.note where title = 'one'"
            ),
            "mini true"
        );
    }

    #[pg_test]
    fn parts_come_and_go_with_the_text() {
        library();
        note(1, "one", "a b c");
        complete_parts(1, &["[1,0,0]", "[0,1,0]", "[0,0,1]"]);
        run("update public.note set body = 'a'");
        complete_parts(1, &["[1,0,0]"]);
        assert_eq!(parts(), "1/0");
        run("update public.note set body = 'a b'");
        complete_parts(1, &["[1,0,0]", "[0,1,0]"]);
        run(&format!("update public.note set user_id = '{BOB}'"));
        assert_eq!(ask(&format!("select count(*) from strata_vectors.mini v where v.tenant = '{BOB}'")), "2");
        run("update public.note set title = '', body = null; select strata.claim_jobs('w')");
        assert_eq!(parts(), "null");
    }

    #[pg_test]
    fn a_text_may_be_embedded_as_a_whole_again() {
        library();
        note(1, "one", "a b c");
        complete_parts(1, &["[1,0,0]", "[0,1,0]"]);
        run("select strata.set_chunking('note', null)");
        assert_eq!(found("[0,1,0]", ""), "1 1.00", "until it is embedded again");
        assert_eq!(
            ask("select e.enqueued || ' ' || (e.last is null) from strata.enqueue_again('note') e"),
            "1 false"
        );
        assert_eq!(
            ask(
                "select coalesce(j.chunk_tokens::text, 'whole') from strata.claim_jobs('x', lease => '1 microsecond') j"
            ),
            "whole"
        );
        run("create temp table held as select * from strata.claim_jobs('w')");
        assert_eq!(
            ask("select c.stored from held h, strata.complete_jobs(array[h.entity_type], array[h.entity_id], array[h.fence],
                     array[h.content_hash], array['[1,0,0]']::vector[]) c"),
            "1"
        );
        assert_eq!(parts(), "1/0");
    }

    #[pg_test]
    fn a_column_keeps_one_vector_a_row() {
        sources();
        assert_eq!(
            refusal("select strata.set_chunking('note', 100)"),
            "55000 source \"note\" keeps one vector a row, in column \"embedding\""
        );
        run("select strata.add_model('maxi', 'local', 4); select strata.start_model_change('mini', 'maxi');
             select strata.set_chunking('note', 100)");
        note(1, "one", "a");
        assert_eq!(
            list(
                "select j.model || ' ' || coalesce(j.chunk_tokens::text, 'whole') from strata.claim_jobs('w') j order by 1"
            ),
            "maxi 100 mini whole"
        );
    }

    #[pg_test]
    fn rows_are_queued_again_whether_they_have_a_vector_or_not() {
        sources();
        note(1, "one", "a");
        note(2, "two", "b");
        note(3, "", "");
        claim();
        complete(1, 2, "one\na", "[1,0,0]");
        complete(2, 2, "two\nb", "[1,0,0]");
        run("update public.note set embedding_model = 'older' where title = 'two'");
        assert_eq!(ask("select e.enqueued from strata.enqueue_again('note', only_other => true) e"), "1");
        assert_eq!(jobs(), "2/queued/f1/a0");
        assert_eq!(list("select j.priority from strata.job j"), "0");
        assert_eq!(ask("select e.enqueued from strata.enqueue_again('note') e"), "1");
        assert_eq!(
            ask("select count(*) from public.note where embedding is not null"),
            "2",
            "the old ones serve"
        );
        assert_eq!(
            refusal("select strata.enqueue_again('task', only_other => true)"),
            "55000 source \"task\" keeps no model beside its vectors"
        );
    }

    #[pg_test]
    fn what_cannot_be_is_refused() {
        library();
        let chunking = |rest: &str| refusal(&format!("select strata.set_chunking({rest})"));
        assert_eq!(chunking("'x', 3"), "42704 source \"x\" does not exist");
        assert_eq!(chunking("'note', 0"), "22023 tokens must be at least 1, not 0");
        assert_eq!(chunking("'note', 257"), "22023 tokens must be at most 256 for model \"mini\", not 257");
        assert_eq!(chunking("'note', 3, 3"), "22023 overlap must be from 0 to less than tokens, not 3");
        assert_eq!(chunking("'note', 3, -1"), "22023 overlap must be from 0 to less than tokens, not -1");
        assert_eq!(refusal("select strata.enqueue_again('x')"), "42704 source \"x\" does not exist");
        assert_eq!(
            refusal("select strata.enqueue_again('note', null, 0)"),
            "22023 max must be at least 1 row, not 0"
        );
        note(1, "one", "a b c");
        let complete = |chunks: &str| {
            refusal(&format!(
                "select strata.complete_jobs(array['note', 'note'], array['{0}', '{0}']::uuid[], array[1, 1], array['\\x', '\\x']::bytea[],
                     array['[1,0,0]', '[1,0,0]']::vector[], 'mini', array[{chunks}]::int[])",
                id(1)
            ))
        };
        assert_eq!(complete("0"), "22023 chunks must be as many as vectors, not 1 and 2");
        assert_eq!(complete("1, 1"), "22023 a job is named twice");
    }
}
