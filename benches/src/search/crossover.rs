//! What an HNSW index over one tenant's vectors alone gains on comparing all of them, and what it misses, for tenants of
//! several sizes: whether and from where on such an index is worth having (docs/decisions). Both are `rag_search`, under row
//! level security. On embeddings that are made, or on given ones.

use super::asked::{Asker, K, RAG_SEARCH, median};
use super::library::{Keep, Library, SIZES, Size, TABLES};
use super::world;
use crate::figure::{Figure, Limit};
use crate::say;
use pgvector::Vector;
use std::path::Path;

/// Vectors of a tenant.
const TENANTS: [usize; 3] = [20_000, 50_000, 100_000];

/// strata.ef_search.
const BREADTHS: [i64; 4] = [100, 200, 400, 800];

/// Questions of a round, half of them about what the tenant writes about.
const QUESTIONS: usize = 40;

/// Vectors at the end of a file that are asked with and not stored.
const ASKED: usize = 200;

/// Where embeddings come from.
enum Embeddings {
    /// The library's world.
    Made,
    /// A file: those that are stored, and those that are asked with.
    Given(Vec<Vector>, Vec<Vector>),
}

/// For each tenant: what comparing all takes over what the same answer takes by an index, at each breadth, and the recall there.
/// `vectors`: a file of vectors as Postgres writes them, one a line, of which the last two hundred are the questions.
pub fn measure(rounds: usize, vectors: Option<&Path>) -> Vec<Figure> {
    let embeddings = vectors.map_or(Embeddings::Made, read);
    let mut tenants: Vec<usize> = TENANTS.to_vec();
    let mut size = Size { rows: 0, ..SIZES[0] };
    if let Embeddings::Given(stored, _) = &embeddings {
        tenants.retain(|rows| *rows <= stored.len());
        assert!(!tenants.is_empty(), "{} vectors are fewer than the smallest tenant has", stored.len());
        size.dimensions = stored[0].as_slice().len();
    }
    let library = Library::among(size, Keep::Store, |library| {
        for (number, rows) in tenants.iter().copied().enumerate() {
            match &embeddings {
                Embeddings::Made => {
                    let topics = (0..rows).map(|row| (number, world::topic(number, row)));
                    library.fill(TABLES[0], topics, 500 + number);
                }
                Embeddings::Given(stored, _) => {
                    let rows = stored[..rows].iter().map(|vector| (number, vector.clone()));
                    library.fill_with(TABLES[0], rows, 500 + number);
                }
            }
        }
    });
    let of = |(number, rows)| Tenant { library: &library, embeddings: &embeddings, number, rows };
    tenants.into_iter().enumerate().map(of).flat_map(|tenant| tenant.measure(rounds)).collect()
}

fn read(file: &Path) -> Embeddings {
    let text = std::fs::read_to_string(file).unwrap_or_else(|why| panic!("{}: {why}", file.display()));
    let number = |part: &str| part.parse::<f32>().unwrap_or_else(|_| panic!("{part} is no number"));
    let vector = |line: &str| {
        let numbers = line.trim().trim_start_matches('[').trim_end_matches(']').split(',');
        Vector::from(numbers.map(number).collect::<Vec<f32>>())
    };
    let mut stored: Vec<Vector> = text.lines().map(vector).collect();
    assert!(stored.len() > ASKED, "{}: the last {ASKED} vectors are questions", file.display());
    let asked = stored.split_off(stored.len() - ASKED);
    Embeddings::Given(stored, asked)
}

struct Tenant<'a> {
    library: &'a Library,
    embeddings: &'a Embeddings,
    number: usize,
    rows: usize,
}

impl Tenant<'_> {
    fn measure(&self, rounds: usize) -> Vec<Figure> {
        say(&format!("an index for {} vectors", self.rows));
        let create: String = self.library.database.value(&format!(
            "select statement from strata.vector_indexes(1) where tenant = '{}'",
            world::tenant(self.number)
        ));
        let mut session = self.library.database.connect();
        session.batch_execute("set maintenance_work_mem = '1GB'").expect("a setting");
        session.batch_execute(&create).expect("an index");
        BREADTHS.into_iter().flat_map(|breadth| self.at(breadth, rounds)).collect()
    }

    fn at(&self, breadth: i64, rounds: usize) -> [Figure; 3] {
        let mut sessions = [0, breadth].map(|breadth| {
            let ready = format!("set role authenticated; set strata.ef_search = {breadth}");
            Asker::prepared(self.library, &ready, RAG_SEARCH)
        });
        let (mut ratios, mut recalls) = (Vec::new(), [Vec::new(), Vec::new()]);
        for round in 0..rounds {
            let (all, index, [on, off]) = self.beside(&mut sessions, round);
            say(&format!(
                "{} vectors, ef_search {breadth}: all {all:.3} ms, index {index:.3} ms, recall {on:.4} on topic, {off:.4} off",
                self.rows
            ));
            ratios.push(all / index);
            recalls[0].push(on);
            recalls[1].push(off);
        }
        let [on, off] = recalls;
        let figure = |what: &str, unit, samples| {
            let name = format!("{} vectors: {what}, ef_search {breadth}", self.rows);
            Figure::new(name, unit, samples, Limit::None)
        };
        [
            figure("all / index", "ratio", ratios),
            figure("recall@10 on topic", "share", on),
            figure("recall@10 off topic", "share", off),
        ]
    }

    /// The middle of what either takes for the same questions, asked in turn, in milliseconds; and which share of the first's
    /// answers the other gives, on topic and off.
    fn beside(&self, [all, index]: &mut [Asker; 2], round: usize) -> (f64, f64, [f64; 2]) {
        all.is(self.number);
        index.is(self.number);
        let (mut a, mut b, mut right) = (Vec::new(), Vec::new(), [0, 0]);
        for number in 0..QUESTIONS {
            let question = self.question(round * QUESTIONS + number);
            let (took, truth) = all.ask(&question, self.number);
            a.push(took);
            let (took, found) = index.ask(&question, self.number);
            b.push(took);
            assert_eq!(found.len(), K as usize, "no answer is short");
            right[number % 2] += found.iter().filter(|id| truth.contains(id)).count();
        }
        (median(a), median(b), right.map(|right| right as f64 / (QUESTIONS / 2 * K as usize) as f64))
    }

    /// Even numbers are about what the tenant writes about, odd ones are not, if the file was made so.
    fn question(&self, number: usize) -> Vector {
        match self.embeddings {
            Embeddings::Made => self.library.question(self.number, number),
            Embeddings::Given(_, asked) => asked[number % asked.len()].clone(),
        }
    }
}
