//! The command line as its help shows it: options of packs only where there is a pack. They are understood everywhere, as before.

use crate::args::Args;
use clap::CommandFactory;

/// Commands without a pack.
const WITHOUT: [&str; 7] = ["worker", "embed", "reindex", "search", "eval", "locks", "completions"];

/// Options that say what pack, and how. The first is also how long a change of a model waits.
const OF_PACKS: [&str; 7] = ["lock_timeout", "pack", "path", "source", "adopt", "no_adopt", "set"];

/// The command with everything that `Args` says.
pub fn command() -> clap::Command {
    let whole = Args::command();
    let hidden: Vec<clap::Arg> = OF_PACKS
        .iter()
        .filter_map(|name| whole.get_arguments().find(|arg| arg.get_id() == name))
        .map(|arg| arg.clone().hide(true))
        .collect();
    // A command that has an option of its own is not given the one that stands before it.
    let bared = WITHOUT
        .into_iter()
        .fold(whole, |whole, name| whole.mut_subcommand(name, |one| one.args(hidden.iter())));
    bared.mut_subcommand("model", |model| below(model, &hidden[1..]))
}

/// Each command of a command with these.
fn below(command: clap::Command, hidden: &[clap::Arg]) -> clap::Command {
    let names: Vec<String> = command.get_subcommands().map(|one| one.get_name().to_owned()).collect();
    let own = command.args(hidden);
    names.into_iter().fold(own, |command, name| command.mut_subcommand(name, |one| one.args(hidden)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::FromArgMatches;

    fn shown(words: &[&str]) -> String {
        command().try_get_matches_from(words).expect_err("help").to_string()
    }

    #[test]
    fn options_of_packs_are_shown_where_there_is_a_pack() {
        for with in ["up", "status", "checklist", "create"] {
            let text = shown(&["strata", with, "--help"]);
            assert!(text.contains("--pack <NAME>") && text.contains("--adopt"), "{text}");
        }
        for without in ["search", "embed", "worker", "locks", "eval", "reindex"] {
            let text = shown(&["strata", without, "--help"]);
            assert!(text.contains("--database <URL>") && text.contains("--json"), "{text}");
            assert!(
                !text.contains("pack") && !text.contains("--adopt") && !text.contains("--lock-timeout"),
                "{text}"
            );
        }
        let text = shown(&["strata", "model", "switch", "--help"]);
        assert!(!text.contains("--pack") && text.contains("--lock-timeout"), "{text}");
    }

    #[test]
    fn they_are_understood_all_the_same() {
        for words in
            [["strata", "--path", "there", "search", "x"], ["strata", "search", "x", "--path", "there"]]
        {
            let found =
                command().try_get_matches_from(words).and_then(|found| Args::from_arg_matches(&found));
            assert_eq!(found.expect("understood").path, Some("there".into()), "{words:?}");
        }
    }
}
