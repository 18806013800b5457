//! What a search should answer, computed here from the stored vectors, with nothing of ours in between.

use crate::Database;
use postgres::GenericClient;
use uuid::Uuid;

/// Largest difference between pgvector's single precision and ours.
pub const TOLERANCE: f64 = 1e-5;

/// A row of a source, or a hit of a search.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Entity type.
    pub entity_type: String,
    /// Key.
    pub id: Uuid,
    /// Cosine similarity.
    pub similarity: f64,
}

/// The rows of one tenant in every source that are not hidden by a flag, best first; ties by entity type and key.
pub fn search(database: &Database, query: &[f32], tenant: Uuid) -> Vec<Hit> {
    let sources = database.rows(
        "select entity_type, format('select %I, %I::real[] from %I.%I where %I = $1 and %I is not null%s',
                key_column, vector_column, relation_schema, relation_name, tenant_column, vector_column,
                case when hidden_column is null then '' else format(' and %I is not true', hidden_column) end)
         from strata.source order by entity_type",
        &[],
    );
    let mut hits = Vec::new();
    for source in &sources {
        let (entity_type, sql): (String, String) = (source.get(0), source.get(1));
        for row in database.rows(&sql, &[&tenant]) {
            let similarity = cosine(query, &row.get::<_, Vec<f32>>(1));
            hits.push(Hit { entity_type: entity_type.clone(), id: row.get(0), similarity });
        }
    }
    hits.sort_by(|a, b| {
        let key = |hit: &Hit| (hit.entity_type.clone(), hit.id);
        b.similarity.total_cmp(&a.similarity).then_with(|| key(a).cmp(&key(b)))
    });
    hits
}

/// What `strata.rag_search` answers in some session.
pub fn rag_search(
    session: &mut impl GenericClient,
    query: &[f32],
    tenant: Option<Uuid>,
    count: i32,
) -> Vec<Hit> {
    let vector = pgvector::Vector::from(query.to_vec());
    let sql = "select entity_type, entity_id, similarity from rag_search($1, $2, $3)";
    let rows = session.query(sql, &[&vector, &tenant, &count]).unwrap();
    rows.iter().map(|row| Hit { entity_type: row.get(0), id: row.get(1), similarity: row.get(2) }).collect()
}

/// Fails unless `found` is the beginning of `all`. Rows nearer to each other than the tolerance may change places, but
/// only where their similarity is not exactly the same.
pub fn assert_first(what: &str, found: &[Hit], all: &[Hit], count: usize) {
    assert_eq!(found.len(), count.min(all.len()), "{what}: rows");
    for (place, (is, should)) in found.iter().zip(all).enumerate() {
        let off = (is.similarity - should.similarity).abs();
        assert!(off < TOLERANCE, "{what}: place {place} is {is:?}, not {should:?}");
        let itself = all.iter().find(|hit| (&hit.entity_type, hit.id) == (&is.entity_type, is.id));
        let itself = itself.unwrap_or_else(|| panic!("{what}: {is:?} is no row of the tenant"));
        let off = (is.similarity - itself.similarity).abs();
        assert!(off < TOLERANCE, "{what}: {is:?} has the similarity {}", itself.similarity);
    }
    for pair in found.windows(2) {
        let key = |hit: &Hit| (hit.entity_type.clone(), hit.id);
        let (a, b) = (&pair[0], &pair[1]);
        assert!(a.similarity >= b.similarity, "{what}: {a:?} stands before {b:?}");
        assert!(a.similarity > b.similarity || key(a) < key(b), "{what}: the tie of {a:?} and {b:?}");
    }
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let dot =
        |x: &[f32], y: &[f32]| -> f64 { x.iter().zip(y).map(|(x, y)| f64::from(*x) * f64::from(*y)).sum() };
    dot(a, b) / (dot(a, a).sqrt() * dot(b, b).sqrt())
}
