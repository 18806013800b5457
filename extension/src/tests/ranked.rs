//! Vectors of a store are ranked as pgvector ranks them, on any processor.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::cosine;
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Dimensions around those that are taken at once.
    const DIMENSIONS: [usize; 9] = [1, 7, 8, 31, 32, 33, 63, 384, 385];

    /// Numbers from -1 to 1 that look like chance.
    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let number = |n: usize| ((n as u32 + 1).wrapping_mul(2_654_435_761).wrapping_add(seed) >> 8) as f32;
        (0..count).map(|n| number(n) / (1 << 23) as f32 - 1.0).collect()
    }

    fn written(numbers: &[f32]) -> String {
        let shown: Vec<String> = numbers.iter().map(f32::to_string).collect();
        format!("[{}]", shown.join(","))
    }

    #[pg_test]
    fn a_scan_of_a_store_asks_for_all_its_columns_in_their_order() {
        tables();
        run("select strata.make_store('mini', 'halfvec')");
        let columns = ask("select string_agg(attname, ' ' order by attnum) from pg_attribute
             where attrelid = 'strata_vectors.mini'::regclass and attnum > 0");
        assert_eq!(
            columns,
            strata_core::search::STORE_COLUMNS.join(" "),
            "rows are made anew, not read where they lie"
        );
    }

    #[pg_test]
    fn a_store_answers_with_the_similarity_that_pgvector_computes() {
        tables();
        for storage in ["halfvec", "vector"] {
            for dimensions in DIMENSIONS {
                let (model, question) = (format!("m{storage}{dimensions}"), numbers(dimensions, 5));
                run(&format!(
                    "select strata.add_model('{model}', 'local', {dimensions});
                     create table public.{model} (id uuid primary key default gen_random_uuid(), user_id uuid, title text,
                         embedded_at timestamptz, created_at timestamptz not null default now());
                     insert into public.{model} (user_id, title) select '{ANN}', g from generate_series(1, 5) g;
                     select strata.add_source('{model}', 'public.{model}', 'id', 'user_id', 'title', '{{}}', null, '{model}',
                         embedded_at_column => 'embedded_at', store => '{storage}')"
                ));
                for row in 1..=5 {
                    run(&format!(
                        "select strata.store_vectors(s, array[t.id], array['{}'::vector])
                         from strata.source s, public.{model} t where s.entity_type = '{model}' and t.title = '{row}'",
                        written(&numbers(dimensions, row * 7919))
                    ));
                }
                let off = ask(&format!(
                    "select count(*) || ' ' || bool_and(abs(r.similarity - (1 - (v.embedding::vector <=> '{0}'))) < 1e-6)
                     from strata.rag_search('{0}', '{ANN}', 10, entity_types => array['{model}']) r
                     join strata_vectors.{model} v on v.entity_id = r.entity_id",
                    written(&question)
                ));
                assert_eq!(off, "5 true", "{storage}, {dimensions} dimensions");
                run(&format!("select strata.drop_source('{model}')"));
            }
        }
    }

    #[pg_test]
    fn rows_are_looked_up_by_their_keys_however_few_a_tenant_is_said_to_have() {
        tables();
        // A row each, as far as statistics know; then Ann has hundreds.
        run(&format!(
            "create table public.many (id uuid primary key, user_id uuid, title text, embedded_at timestamptz,
                 created_at timestamptz not null default now());
             create index many_user on public.many (user_id);
             insert into public.many select gen_random_uuid(), gen_random_uuid(), g from generate_series(1, 500) g; analyze public.many;
             select strata.add_source('many', 'public.many', 'id', 'user_id', 'title', '{{}}', null, 'mini',
                 embedded_at_column => 'embedded_at', store => 'vector');
             insert into public.many select gen_random_uuid(), '{ANN}', g from generate_series(1, 300) g;
             select strata.store_vectors(s, v.ids, v.vectors)
             from strata.source s,
                  (select array_agg(id) as ids, array_agg(format('[1,%s,0]', title)::vector) as vectors from public.many
                   where user_id = '{ANN}') v
             where s.entity_type = 'many'"
        ));
        let scans = "select pg_stat_get_xact_numscans('public.many'::regclass) || ' ' || pg_stat_get_xact_numscans('public.many_user'::regclass)";
        let before = ask(scans);
        for _ in 1..=7 {
            let titles = list(&format!(
                "select title from strata.rag_search('[1,0,0]', '{ANN}', 3, entity_types => array['many'])"
            ));
            assert_eq!(titles, "1 2 3");
        }
        assert_eq!(ask(scans), before);
    }

    #[pg_test]
    fn every_processor_comes_to_the_same() {
        for dimensions in DIMENSIONS {
            let (question, vector) = (numbers(dimensions, 3), numbers(dimensions, 4));
            let exact = |vector: &[f32]| {
                let dot: f64 = question.iter().zip(vector).map(|(q, v)| f64::from(*q) * f64::from(*v)).sum();
                let length = |v: &[f32]| v.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
                -dot / (length(&question) * length(vector))
            };
            // One half, as two bytes, and what it is.
            let halves: Vec<u16> = (0..dimensions).map(|n| 0x3800 | (n as u16 * 37) & 0x83ff).collect();
            let read = |half: &u16| {
                let size = 0.5 + f32::from(half & 0x3ff) / 2048.0;
                if half & 0x8000 == 0 { size } else { -size }
            };
            let wide: Vec<f32> = halves.iter().map(read).collect();
            for question in [cosine::Question::new(&question), cosine::Question::on_any(&question)] {
                assert!((question.of_halves(&halves) - exact(&wide)).abs() < 1e-6, "{dimensions}");
                assert!((question.of_floats(&vector) - exact(&vector)).abs() < 1e-6, "{dimensions}");
            }
        }
    }

    #[pg_test]
    fn the_smallest_numbers_of_two_bytes_are_read() {
        let question = cosine::Question::on_any(&[1.0, 1.0]);
        // 2^-24 and -2^-15; beside each other as 1 to -512.
        let similar = -question.of_halves(&[0x0001, 0x8200]);
        let expected = (1.0 - 512.0) / (2f64.sqrt() * (1f64 + 512.0 * 512.0).sqrt());
        assert!((similar - expected).abs() < 1e-6, "{similar} {expected}");
    }
}
