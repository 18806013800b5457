//! The documents' function, as their text suggests it: plpgsql, one union of all rows of the user.

use super::Libraries;
use super::asked::{Asker, RAG_SEARCH, in_a_row, in_turn};
use super::library::{Library, TABLES};
use crate::figure::{Figure, Limit};
use crate::say;

/// Theirs, on tables with inline vectors, over ours on the same and on a store: for the largest tenant and a tiny one.
pub fn measure(libraries: &Libraries, rounds: usize) -> Vec<Figure> {
    libraries.inline.database.run(&function());
    let stored = beside(&libraries.store, libraries, rounds, [Limit::AtLeast(10.0), Limit::AtLeast(1.0)]);
    let inline = beside(&libraries.inline, libraries, rounds, [Limit::None, Limit::None]);
    [stored, inline].concat()
}

fn beside(library: &Library, libraries: &Libraries, rounds: usize, limits: [Limit; 2]) -> Vec<Figure> {
    let mut ours = Asker::signed_in(library, RAG_SEARCH);
    let mut theirs = Asker::signed_in(&libraries.inline, "select * from public.documents_search($1, $2, 10)");
    let mut figures = Vec::new();
    for ((tenant, kind, calls), limit) in [(0, "largest", 40), (899, "900th", 200)].into_iter().zip(limits) {
        let name = |how| format!("{}: the documents' / {kind} tenant{how}", library.name());
        let in_turn = |_| {
            let (a, b) = in_turn(library, (&mut ours, &mut theirs), tenant, calls);
            say(&format!("{kind} tenant: rag_search {a:.3} ms, the documents' {b:.3} ms"));
            b / a
        };
        figures.push(Figure::new(name(""), "ratio", (0..rounds).map(in_turn).collect(), limit));
        let in_a_row = |_| {
            let a = in_a_row(library, &mut ours, tenant, calls);
            let b = in_a_row(library, &mut theirs, tenant, calls);
            say(&format!("{kind} tenant, in a row: rag_search {a:.3} ms, the documents' {b:.3} ms"));
            b / a
        };
        let samples = (0..rounds).map(in_a_row).collect();
        figures.push(Figure::new(name(", in a row"), "ratio", samples, limit));
    }
    figures
}

fn function() -> String {
    let branch = |table: &str| {
        format!(
            "select '{table}'::text, t.id, t.title, t.content, 1 - (t.embedding <=> query_embedding), t.created_at,
                    jsonb_build_object('status', t.status)
             from {table} t
             where t.user_id = user_id_filter and t.embedding is not null
               and (date_range_days is null or t.created_at >= now() - make_interval(days => date_range_days))"
        )
    };
    format!(
        "create or replace function public.documents_search(query_embedding vector, user_id_filter uuid,
             match_count int default 10, date_range_days int default null)
         returns table (entity_type text, entity_id uuid, title text, content text, similarity float, created_at timestamptz,
                        metadata jsonb)
         language plpgsql as $$
         begin
             return query select * from ({}) r (a, b, c, d, e, f, g) order by r.e desc limit match_count;
         end
         $$",
        TABLES.map(branch).join("\nunion all\n")
    )
}
