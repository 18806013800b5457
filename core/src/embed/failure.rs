//! What a failure of the provider means for the texts of a call, and for the model.

use super::ProviderError;

/// Whom a failure is blamed on; `strata.fail_jobs` has the meanings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blame {
    /// The text.
    Rejected,
    /// The provider, or a text among them.
    Unavailable,
    /// The provider has too much to do.
    Busy,
    /// Nobody: it was not tried.
    Returned,
}

impl Blame {
    /// As SQL has it.
    pub const fn name(self) -> &'static str {
        match self {
            Blame::Rejected => "rejected",
            Blame::Unavailable => "unavailable",
            Blame::Busy => "busy",
            Blame::Returned => "returned",
        }
    }
}

/// What to do about a call that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The text at this index is to blame: it is set aside, and the others are asked for again.
    SetAside(usize),
    /// One of them is to blame and nobody says which: each half is asked for again.
    Halve,
    /// This text alone was rejected. It is to blame where the model embeds any other; else the set-up is.
    Doubt,
    /// The call goes back, and the model is not asked again in this round.
    Back(Blame),
    /// No call will succeed until somebody changes the set-up: nobody is to blame, the model is left alone.
    Bench,
}

/// What this failure of a call with so many texts means.
pub fn meaning(cause: &ProviderError, texts: usize) -> Meaning {
    match cause {
        ProviderError::Rejected { row: Some(row), .. } if *row < texts => Meaning::SetAside(*row),
        ProviderError::Rejected { .. } if texts > 1 => Meaning::Halve,
        ProviderError::Rejected { .. } => Meaning::Doubt,
        ProviderError::Busy { .. } => Meaning::Back(Blame::Busy),
        ProviderError::Unavailable { .. } | ProviderError::WrongShape { .. } => {
            Meaning::Back(Blame::Unavailable)
        }
        ProviderError::Misconfigured { .. } | ProviderError::WrongDimension { .. } => Meaning::Bench,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_blamed_only_when_it_is_known_to_be_the_one() {
        let rejected = |row| ProviderError::Rejected { row, reason: "x".into() };
        assert_eq!(meaning(&rejected(Some(2)), 3), Meaning::SetAside(2));
        assert_eq!(meaning(&rejected(Some(3)), 3), Meaning::Halve, "there is no such text");
        assert_eq!(meaning(&rejected(None), 2), Meaning::Halve);
        assert_eq!(meaning(&rejected(None), 1), Meaning::Doubt);
    }

    #[test]
    fn a_provider_that_cannot_now_is_told_from_one_that_never_will() {
        let busy = ProviderError::busy("x".into(), None);
        assert_eq!(meaning(&busy, 1), Meaning::Back(Blame::Busy));
        for cause in [ProviderError::unavailable("x".into(), None), ProviderError::wrong_shape("x".into())] {
            assert_eq!(meaning(&cause, 1), Meaning::Back(Blame::Unavailable));
        }
        assert_eq!(meaning(&ProviderError::misconfigured("x".into()), 9), Meaning::Bench);
        let wrong = ProviderError::WrongDimension { reason: "x".into(), hint: "y".into() };
        assert_eq!(meaning(&wrong, 9), Meaning::Bench);
    }
}
