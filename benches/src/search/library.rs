//! Four tables of texts with embeddings under row level security, filled in no order of tenants, and registered.

use super::random::Random;
use super::world::{self, World};
use crate::say;
use postgres::binary_copy::BinaryCopyInWriter;
use postgres::types::{ToSql, Type};
use strata_tests::{Database, aurum};

/// The tables, which are the sources too.
pub const TABLES: [&str; 4] = ["entry", "insight", "project", "task"];

/// How many rows of how many dimensions.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Over all tables.
    pub rows: usize,
    /// Of an embedding.
    pub dimensions: usize,
}

/// What is measured.
pub const SIZES: [Size; 2] =
    [Size { rows: 100_000, dimensions: 384 }, Size { rows: 40_000, dimensions: 1536 }];

/// Where the vectors lie.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Keep {
    /// In a column of each table, as the documents have it.
    Inline,
    /// In the narrow table of their model.
    Store,
}

impl Keep {
    /// As a report has it.
    pub fn name(self) -> &'static str {
        match self {
            Keep::Inline => "inline",
            Keep::Store => "store",
        }
    }
}

/// A filled database.
pub struct Library {
    /// It.
    pub database: Database,
    /// Its size.
    pub size: Size,
    /// Where its vectors lie.
    pub keep: Keep,
    /// Where its embeddings come from.
    pub world: World,
}

impl Library {
    /// A new one of this size, vacuumed and analyzed.
    pub fn of(size: Size, keep: Keep) -> Library {
        Library::among(size, keep, |_| {})
    }

    /// One with further rows in it.
    pub fn among(size: Size, keep: Keep, further: impl FnOnce(&Library)) -> Library {
        let library = Library { database: tables(size), size, keep, world: World::of(size.dimensions) };
        say(&format!("filling {} rows of {} dimensions, {}", size.rows, size.dimensions, keep.name()));
        let mut rows: Vec<usize> = Vec::with_capacity(size.rows);
        for (tenant, share) in world::shares(size.rows).into_iter().enumerate() {
            rows.extend(std::iter::repeat_n(tenant, share));
        }
        let mut random = Random::of(7);
        for n in (1..rows.len()).rev() {
            rows.swap(n, random.below(n + 1));
        }
        for (n, table) in TABLES.iter().enumerate() {
            let own = rows.iter().copied().skip(n).step_by(TABLES.len());
            library.fill(table, own.enumerate().map(|(n, tenant)| (tenant, world::topic(tenant, n))), n);
        }
        further(&library);
        library.register();
        library.database.run("vacuum analyze");
        library.database.run("checkpoint");
        library
    }

    fn register(&self) {
        for table in TABLES {
            let vectors = match self.keep {
                Keep::Inline => "'embedding'",
                Keep::Store => "null",
            };
            let store = match self.keep {
                Keep::Inline => "null",
                Keep::Store => "'halfvec'",
            };
            self.database.run(&format!(
                "select strata.add_source('{table}', '{table}', 'id', 'user_id', 'title', array['content'], {vectors}, 'mini',
                     metadata_columns => array['status'], embedded_at_column => 'embedded_at', store => {store})"
            ));
            if self.keep == Keep::Store {
                self.move_vectors(table);
            }
        }
        if self.keep == Keep::Store {
            self.database.run("cluster strata_vectors.mini using mini_tenant_entity_type_idx");
        }
    }

    /// As a worker stores them, but all at once; ordered by tenant.
    fn move_vectors(&self, table: &str) {
        self.database.run(&format!(
            "create table vectors as select id, embedding from {table};
             alter table {table} drop embedding;
             select strata.store_vectors(s, v.ids, v.vectors)
             from strata.source s, (select array_agg(id) as ids, array_agg(embedding) as vectors from vectors) v
             where s.entity_type = '{table}';
             drop table vectors; delete from strata.job"
        ));
        self.database.run(&format!("vacuum full {table}"));
    }

    /// Adds rows, given by their tenant and topic, to a table.
    pub fn fill(&self, table: &str, rows: impl Iterator<Item = (usize, usize)>, seed: usize) {
        let mut random = Random::of(seed as u64 + 5000);
        let embedded =
            |(tenant, topic)| (tenant, pgvector::Vector::from(self.world.about(topic, &mut random)));
        self.fill_with(table, rows.map(embedded), seed);
    }

    /// The same, given by their tenant and embedding.
    pub fn fill_with(&self, table: &str, rows: impl Iterator<Item = (usize, pgvector::Vector)>, seed: usize) {
        let mut session = self.database.connect();
        let vector =
            session.prepare("select null::vector").expect("pgvector is here").columns()[0].type_().clone();
        let types = [Type::UUID, Type::UUID, Type::TEXT, Type::TEXT, vector];
        let sink = session
            .copy_in(&format!(
                "copy {table} (id, user_id, title, content, embedding) from stdin (format binary)"
            ))
            .expect("a copy");
        let mut writer = BinaryCopyInWriter::new(sink, &types);
        let mut random = Random::of(seed as u64 + 1000);
        for (n, (tenant, embedding)) in rows.enumerate() {
            let (id, user, title) = (random.id(), world::tenant(tenant), format!("Row {n}"));
            let content = text(&mut random);
            let row: [&(dyn ToSql + Sync); 5] = [&id, &user, &title, &content, &embedding];
            writer.write(&row).expect("a row");
        }
        writer.finish().expect("the end of a copy");
    }

    /// Dimensions, and where the vectors lie: as figures are called.
    pub fn name(&self) -> String {
        format!("{} {}", self.size.dimensions, self.keep.name())
    }

    /// A question of a tenant. Even numbers are about what the tenant writes about, odd ones are not.
    pub fn question(&self, tenant: usize, number: usize) -> pgvector::Vector {
        let topic = match number.is_multiple_of(2) {
            true => world::topic(tenant, number / 2),
            false => world::foreign_topic(tenant, number / 2),
        };
        let mut random = Random::of(number as u64 + 77_000);
        pgvector::Vector::from(self.world.about(topic, &mut random))
    }
}

/// Some four hundred bytes.
fn text(random: &mut Random) -> String {
    (0..24).map(|_| format!("{:x} ", random.bits())).collect()
}

fn tables(size: Size) -> Database {
    let database = Database::empty();
    aurum::load(&database, &["supabase"]);
    database.run(&format!(
        "create extension strata cascade; select strata.add_model('mini', 'local', {})",
        size.dimensions
    ));
    for table in TABLES {
        database.run(&format!(
            "create table {table} (id uuid primary key, user_id uuid not null, title text, content text,
                 status text not null default 'open', created_at timestamptz not null default now(), embedded_at timestamptz, embedding vector({}));
             create index on {table} (user_id);
             alter table {table} enable row level security;
             create policy own on {table} to authenticated using ((select auth.uid()) = user_id);
             grant select on {table} to authenticated, service_role",
            size.dimensions
        ));
    }
    database
}
