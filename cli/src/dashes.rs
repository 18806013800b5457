//! Long options with one dash, as golang-migrate takes them: `-path` for `--path`. Clap would read five short ones.

use crate::args::Args;
use clap::CommandFactory;
use std::ffi::OsString;

/// The words with every such option written in full. What follows `--` is left alone, and so is a `-k10`.
pub fn doubled(words: impl Iterator<Item = OsString>) -> Vec<OsString> {
    let known = names(&Args::command());
    let mut open = true;
    let double = |word: OsString| {
        open &= word != "--";
        match word.to_str().filter(|_| open).and_then(|text| text.strip_prefix('-')) {
            Some(option) if known.iter().any(|name| name == option.split('=').next().unwrap_or(option)) => {
                format!("--{option}").into()
            }
            _ => word,
        }
    };
    words.map(double).collect()
}

fn names(command: &clap::Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(|arg| arg.get_long()).map(str::to_owned);
    let below = command.get_subcommands().flat_map(names);
    let always = ["help", "version"].map(str::to_owned);
    own.chain(below).chain(always).filter(|name| name.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    fn full(line: &str) -> String {
        let words = doubled(line.split(' ').map(OsString::from));
        words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn golang_migrates_options_are_written_in_full() {
        let line = "migrate -path=./m -database postgres://h/d -lock-timeout 5 down -all";
        assert_eq!(full(line), "migrate --path=./m --database postgres://h/d --lock-timeout 5 down --all");
        assert_eq!(full("migrate create -ext sql -dir m -seq x"), "migrate create --ext sql --dir m --seq x");
    }

    #[test]
    fn short_options_and_numbers_stay() {
        for line in [
            "strata search x -k 3",
            "strata search x -k3",
            "strata -q up",
            "strata force -1",
            "strata x -- -path",
        ] {
            assert_eq!(full(line), line);
        }
    }

    #[test]
    fn both_spellings_mean_the_same() {
        let read =
            |line: &str| format!("{:?}", Args::try_parse_from(doubled(line.split(' ').map(OsString::from))));
        let pairs = [
            ("m -source file://m -verbose up 2", "m --source file://m --verbose up 2"),
            ("m -path m force -1", "m --path m force -1"),
            ("m drop -f", "m drop --force"),
        ];
        for (one, two) in pairs {
            assert!(read(one).starts_with("Ok("), "{}", read(one));
            assert_eq!(read(one), read(two));
        }
    }
}
