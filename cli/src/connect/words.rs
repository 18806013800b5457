//! `host=localhost dbname='my db'`: libpq's list of key=value, with quotes and backslashes.

use super::parameters::Parameters;
use std::iter::Peekable;
use std::str::Chars;
use strata_core::Error;

/// Reads the list. A word without `=` is not repeated: it may be the tail of a password with a space.
pub fn read(text: &str, into: &mut Parameters) -> Result<(), Error> {
    let mut rest = text.chars().peekable();
    loop {
        skip_space(&mut rest);
        if rest.peek().is_none() {
            return Ok(());
        }
        let name = take_name(&mut rest);
        skip_space(&mut rest);
        if rest.next() != Some('=') {
            return Err(into
                .refused("a word is not key=value")
                .hint("quote a value with spaces: key='a value'"));
        }
        skip_space(&mut rest);
        let value = take_value(&mut rest).ok_or_else(|| into.refused("a quoted value is not closed"))?;
        into.set_named(&name, value)?;
    }
}

fn skip_space(rest: &mut Peekable<Chars<'_>>) {
    while rest.next_if(|c| c.is_whitespace()).is_some() {}
}

fn take_name(rest: &mut Peekable<Chars<'_>>) -> String {
    std::iter::from_fn(|| rest.next_if(|c| *c != '=' && !c.is_whitespace())).collect()
}

/// None when the closing quote is missing.
fn take_value(rest: &mut Peekable<Chars<'_>>) -> Option<String> {
    let quoted = rest.next_if_eq(&'\'').is_some();
    let mut value = String::new();
    loop {
        match rest.peek() {
            None if quoted => return None,
            None => return Some(value),
            Some(c) if !quoted && c.is_whitespace() => return Some(value),
            _ => {}
        }
        match rest.next() {
            Some('\'') if quoted => return Some(value),
            Some('\\') => value.extend(rest.next()),
            other => value.extend(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::connect::conninfo;

    #[test]
    fn reads_quotes_backslashes_and_space_around_the_equals_sign() {
        let text = r"host = /tmp  user='a b' password='it\'s \\' dbname=a\ b port='' ";
        let read = conninfo::parse(text, "--database").expect("a good list");
        let values =
            ["host", "user", "password", "dbname", "port"].map(|name| read.text(name).unwrap_or("-"));
        assert_eq!(values, ["/tmp", "a b", r"it's \", "a b", "-"]);
    }

    #[test]
    fn a_word_that_is_no_pair_is_not_repeated() {
        for text in ["password=my secret", "password=my secret host=h", "password='secret", "=secret"] {
            let error = conninfo::parse(text, "--database").err().expect("refused");
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }
}
