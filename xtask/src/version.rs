//! Versions as PostgreSQL, pgvector and Debian write them, as far as we must compare them.

use std::fmt;

/// Major and minor: `17.11`, `0.8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// Before the first dot.
    pub major: u32,
    /// After it.
    pub minor: u32,
}

impl Version {
    /// A version that we name ourselves.
    pub const fn new(major: u32, minor: u32) -> Self {
        Self { major, minor }
    }

    /// The first number in a text and what follows its dot: `PostgreSQL 17.11 (Debian)`, `0.8.0-1`, `18beta1`.
    pub fn find(text: &str) -> Option<Self> {
        let from = text.find(|letter: char| letter.is_ascii_digit())?;
        let mut parts = text[from..].split('.');
        let major = leading_number(parts.next()?)?;
        let whole = text[from..].starts_with(&format!("{major}."));
        let minor = parts.next().filter(|_| whole).and_then(leading_number).unwrap_or(0);
        Some(Self { major, minor })
    }
}

fn leading_number(text: &str) -> Option<u32> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text[..end].parse().ok()
}

impl fmt::Display for Version {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shapes_in_which_versions_come() {
        let find = |text| Version::find(text).map(|version| version.to_string());
        assert_eq!(find("PostgreSQL 17.11 (Debian 17.11-0+deb13u1)").as_deref(), Some("17.11"));
        assert_eq!(find("0.8.0-1").as_deref(), Some("0.8"));
        assert_eq!(find("18beta1").as_deref(), Some("18.0"));
        assert_eq!(find("19devel.2").as_deref(), Some("19.0"));
        assert_eq!(find("(none)"), None);
    }

    #[test]
    fn ten_is_after_eight() {
        assert!(Version::new(0, 10) > Version::new(0, 8));
        assert!(Version::new(17, 0) > Version::new(15, 99));
    }
}
