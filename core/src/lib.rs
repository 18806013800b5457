//! The rules of Strata.
