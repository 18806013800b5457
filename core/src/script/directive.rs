//! Comments that speak to the runner: `-- strata: ...` between two statements.

/// What such a comment asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Directive {
    /// What follows does not share the transaction of what is before it.
    NewTransaction,
    /// The next statement refuses a transaction, and nothing in its text says so.
    NoTransaction,
}

const ALL: [(Directive, &str); 2] =
    [(Directive::NewTransaction, "new transaction"), (Directive::NoTransaction, "no transaction")];

impl Directive {
    /// None where the comment is none of ours; an error where it is and asks what nobody knows.
    pub(super) fn read(comment: &str) -> Option<Result<Directive, String>> {
        let said = comment.trim_start_matches(['-', '/', '*']).trim_end_matches(['*', '/']).trim();
        let (name, asked) = said.split_once(':')?;
        if !name.trim_end().eq_ignore_ascii_case("strata") {
            return None;
        }
        let asked = asked.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        let known = ALL.iter().find(|(_, words)| *words == asked);
        Some(known.map(|(directive, _)| *directive).ok_or(asked))
    }

    /// For the hint of an error.
    pub(super) fn known() -> String {
        let names: Vec<String> = ALL.iter().map(|(_, words)| format!("-- strata: {words}")).collect();
        format!("the directives are \"{}\"", names.join("\" and \""))
    }
}
