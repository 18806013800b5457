//! The kinds of statements, so far as running them differs.

/// How a statement must be run, and how it can be repeated after a crash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// May share a transaction.
    Plain,
    /// `set` for the session.
    Setting,
    /// `begin` or `start transaction`.
    Begin,
    /// `commit` or `end`.
    Commit,
    /// `create index concurrently`: a broken build is found by the catalog and built again.
    CreateIndex {
        /// Index name, folded as Postgres folds it.
        index: String,
        /// Table as it is written, schema and all.
        table: String,
    },
    /// `drop index concurrently`.
    DropIndex,
    /// `reindex concurrently`: one that broke leaves an index beside each that it was about.
    Reindex {
        /// `index`, `table`, `schema` or `database`.
        what: String,
        /// Its name as it is written; empty where a database is not named.
        name: String,
    },
    /// `alter table ... detach partition ... concurrently`: one that broke is finalized.
    Detach {
        /// The partitioned table as it is written.
        parent: String,
        /// The partition as it is written.
        partition: String,
    },
    /// `call`: a procedure may commit where it runs alone.
    Call,
    /// Any other that refuses a transaction; repeating it must be harmless.
    Alone(&'static str),
    /// Cannot be run by a migration, and why.
    Refused(&'static str),
}

impl Shape {
    /// What to call it in a message.
    pub fn name(&self) -> &'static str {
        match self {
            Shape::Plain => "statement",
            Shape::Setting => "set",
            Shape::Begin => "begin",
            Shape::Commit => "commit",
            Shape::CreateIndex { .. } => "create index concurrently",
            Shape::DropIndex => "drop index concurrently",
            Shape::Reindex { .. } => "reindex concurrently",
            Shape::Detach { .. } => "detach partition concurrently",
            Shape::Call => "call",
            Shape::Alone(name) => name,
            Shape::Refused(_) => "refused statement",
        }
    }

    /// True if it waits for other transactions for as long as they last, and nobody waits behind it.
    pub fn is_concurrent(&self) -> bool {
        matches!(
            self,
            Shape::CreateIndex { .. }
                | Shape::DropIndex
                | Shape::Reindex { .. }
                | Shape::Detach { .. }
                | Shape::Alone("vacuum")
        )
    }

    /// True if it locks a whole table first, so that whoever comes later waits behind it.
    pub fn is_exclusive(&self) -> bool {
        matches!(self, Shape::Alone("vacuum full" | "cluster"))
    }
}
