//! Variables of a pack: `${name}` in a file, given by the manifest, the command line or the database.

use crate::error::{Error, Kind};
use crate::ident::{Ident, literal};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How a value is written into a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Type {
    /// Digits, with an optional sign.
    Integer,
    /// A quoted literal.
    Text,
    /// A quoted identifier.
    Identifier,
}

/// One variable as the manifest declares it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// How it is written.
    #[serde(rename = "type")]
    pub kind: Type,
    /// The value when nobody gives one.
    #[serde(deserialize_with = "scalar")]
    pub default: String,
    /// What it decides.
    #[serde(default)]
    pub description: String,
}

/// TOML writes an integer as an integer; a variable is text until it is rendered.
fn scalar<'de, D: serde::Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Scalar {
        Integer(i64),
        Text(String),
    }
    Ok(match Scalar::deserialize(from)? {
        Scalar::Integer(number) => number.to_string(),
        Scalar::Text(text) => text,
    })
}

/// Values by name.
pub type Values = BTreeMap<String, String>;

/// The value of each declared variable: what the caller gave, else what the database remembers, else the default.
pub fn resolve(
    declared: &BTreeMap<String, Variable>,
    given: &Values,
    stored: &Values,
) -> Result<Values, Error> {
    if let Some(name) = given.keys().find(|n| !declared.contains_key(*n)) {
        let known: Vec<&str> = declared.keys().map(String::as_str).collect();
        let message = format!("variable \"{name}\" is not declared by the pack");
        return Err(Error::new(Kind::BadArgument, message).hint(match known.is_empty() {
            true => "the pack declares no variables".to_owned(),
            false => format!("it declares: {}", known.join(", ")),
        }));
    }
    let value =
        |name: &String, v: &Variable| given.get(name).or(stored.get(name)).unwrap_or(&v.default).clone();
    let values: Values = declared.iter().map(|(name, v)| (name.clone(), value(name, v))).collect();
    for (name, variable) in declared {
        render(name, variable.kind, &values[name])?;
    }
    Ok(values)
}

/// A value that applied versions were made with cannot change under them.
pub fn keep(values: &Values, stored: &Values) -> Result<(), Error> {
    let changed = |(name, was): &(&String, &String)| values.get(*name).is_some_and(|is| is != *was);
    match stored.iter().find(changed) {
        None => Ok(()),
        Some((name, was)) => {
            let message =
                format!("variable {name} was \"{was}\" when versions were applied, not \"{}\"", values[name]);
            Err(Error::new(Kind::Changed, message)
                .hint("leave it out of --set, or take the versions back first"))
        }
    }
}

/// A value as it stands in the statement.
fn render(name: &str, kind: Type, value: &str) -> Result<String, Error> {
    match kind {
        Type::Text => Ok(literal(value)),
        Type::Identifier => Ident::new(value).map(|i| i.to_string()),
        Type::Integer => value.parse::<i64>().map(|n| n.to_string()).map_err(|_| {
            Error::new(Kind::BadArgument, format!("variable {name} must be an integer, not \"{value}\""))
        }),
    }
}

/// Replaces each `${name}`. In a pack that declares variables an unknown name is an error; other packs keep `${...}`.
pub fn substitute(
    file: &str,
    text: &str,
    declared: &BTreeMap<String, Variable>,
    values: &Values,
) -> Result<String, Error> {
    if declared.is_empty() {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let name = after.split_once('}').map(|(name, _)| name).unwrap_or_default();
        let Some(variable) = declared.get(name) else {
            let line = text[..text.len() - after.len()].lines().count();
            let message = format!("{file}: line {line}: \"${{{name}}}\" is no variable of the pack");
            return Err(Error::new(Kind::BadPack, message).hint("declare it in pack.toml under [variables]"));
        };
        out.push_str(before);
        out.push_str(&render(name, variable.kind, &values[name])?);
        rest = &after[name.len() + 1..];
    }
    out.push_str(rest);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn declared() -> BTreeMap<String, Variable> {
        let v = |kind, default: &str| Variable { kind, default: default.into(), description: String::new() };
        BTreeMap::from([
            ("dims".into(), v(Type::Integer, "1536")),
            ("model".into(), v(Type::Text, "it's")),
            ("col".into(), v(Type::Identifier, "Mixed")),
        ])
    }

    #[test]
    fn each_type_is_written_its_own_way() {
        let values = resolve(&declared(), &Values::new(), &Values::new()).expect("defaults are valid");
        let sql = substitute("f", "add ${col} vector(${dims}) default ${model};", &declared(), &values);
        assert_eq!(sql.expect("known names"), "add \"Mixed\" vector(1536) default 'it''s';");
    }

    #[test]
    fn given_wins_over_stored_and_stored_over_default() {
        let given = Values::from([("dims".into(), "384".into())]);
        let stored = Values::from([("dims".into(), "3".into()), ("col".into(), "c".into())]);
        let values = resolve(&declared(), &given, &stored).expect("valid");
        assert_eq!(
            (values["dims"].as_str(), values["col"].as_str(), values["model"].as_str()),
            ("384", "c", "it's")
        );
    }

    #[test]
    fn refuses_an_undeclared_name_and_a_value_of_the_wrong_type() {
        let given = |n: &str, v: &str| Values::from([(n.to_owned(), v.to_owned())]);
        let unknown = resolve(&declared(), &given("dim", "3"), &Values::new()).expect_err("unknown");
        assert_eq!(unknown.to_string(), "variable \"dim\" is not declared by the pack");
        let wrong =
            resolve(&declared(), &given("dims", "3); drop"), &Values::new()).expect_err("not an integer");
        assert_eq!(wrong.to_string(), "variable dims must be an integer, not \"3); drop\"");
    }

    #[test]
    fn names_file_and_line_of_an_unknown_name() {
        let values = resolve(&declared(), &Values::new(), &Values::new()).expect("valid");
        let err = substitute("003_x.up.sql", "select 1;\nselect ${oops};", &declared(), &values)
            .expect_err("unknown");
        assert_eq!(err.to_string(), "003_x.up.sql: line 2: \"${oops}\" is no variable of the pack");
        assert_eq!(err.kind(), Kind::BadPack);
    }

    #[test]
    fn a_pack_without_variables_keeps_its_text() {
        let text = "select '${x}'";
        assert_eq!(substitute("f", text, &BTreeMap::new(), &Values::new()).expect("kept"), text);
    }
}
