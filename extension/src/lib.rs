//! The SQL door.
