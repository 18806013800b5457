//! The API as others read it: an OpenAPI 3.1 description and types for TypeScript, made from the types that are served.

use crate::answer::{Cancelled, Drained, DryRun, Found, Health, Pack, Progress, Signed, Started, Verified};
use crate::body;
use crate::fault::Body;
use crate::request::{Embed, Migrate, Search, SignOff, Verify};
use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};
use ts_rs::TS;

/// Statuses that every route but health may answer with.
const REFUSALS: [(u16, &str); 5] = [
    (400, "the request has a value that cannot be used"),
    (401, "a credential is missing, or is not one of this project"),
    (500, "the function or a statement of the database failed"),
    (501, "the database does not offer what the route needs"),
    (503, "the database cannot be reached"),
];

/// Further ones of routes with a body.
const BODY_REFUSALS: [(u16, &str); 2] =
    [(413, "the body is too large"), (415, "the body is not said to be JSON")];

/// Further ones of routes about something.
const THING_REFUSALS: [(u16, &str); 4] = [
    (403, "the caller may not do this"),
    (404, "there is no such thing"),
    (409, "it cannot be done as things stand"),
    (422, "the pack itself is wrong"),
];

/// One route, as it is described.
struct Entry {
    method: &'static str,
    path: &'static str,
    id: &'static str,
    summary: &'static str,
    body: Option<Schema>,
    success: (u16, Schema),
}

/// The whole description.
pub fn openapi() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|s| s.definitions_path = "/components/schemas".into());
    let mut types = settings.into_generator();
    let error = types.subschema_for::<Body>();
    let mut paths = Map::new();
    for entry in entries(&mut types) {
        let operations = paths.entry(entry.path).or_insert_with(|| json!({}));
        operations[entry.method] = operation(&entry, &error);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Strata",
            "description": "Runs of migrations, embeddings and search, through an Edge Function of Supabase's.",
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{"url": "/functions/v1/strata"}],
        "security": [{"key": []}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": types.take_definitions(true),
            "securitySchemes": {
                "key": {"type": "apiKey", "in": "header", "name": "apikey"},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    })
}

fn entries(types: &mut SchemaGenerator) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut add = |method, path, id, summary, body, success| {
        all.push(Entry { method, path, id, summary, body, success });
    };
    let (health, started, progress) = (of::<Health>(types), of::<Started>(types), of::<Progress>(types));
    add("get", "/health", "health", "Whether the function answers", None, (200, health));
    add("get", "/openapi.json", "openapi", "This description", None, (200, of::<Map<String, Value>>(types)));
    let migrate = Some(of::<Migrate>(types));
    add(
        "post",
        "/migrate",
        "migrate",
        "Start a run of a pack that was pushed",
        migrate,
        (202, started.clone()),
    );
    add("get", "/runs/{id}", "run", "Where a run is", None, (200, progress));
    let report = (200, of::<DryRun>(types));
    add("get", "/runs/{id}/report", "report", "What a dry run has found", None, report);
    let cancelled = (200, of::<Cancelled>(types));
    add("post", "/runs/{id}/cancel", "cancel", "Stop a run", None, cancelled);
    add("post", "/runs/{id}/resume", "resume", "Let a run go on", None, (202, started));
    let summary = "Where a pack stands, what would run next, what must be signed";
    add("get", "/packs/{name}", "pack", summary, None, (200, of::<Pack>(types)));
    let verify = Some(of::<Verify>(types));
    add(
        "post",
        "/verify",
        "verify",
        "Run the verifications of a pack again",
        verify,
        (200, of::<Verified>(types)),
    );
    let sign = Some(of::<SignOff>(types));
    add("post", "/sign-off", "signOff", "Sign an item of a checklist", sign, (201, of::<Signed>(types)));
    let embed = Some(of::<Embed>(types));
    add("post", "/embed", "embed", "Drain the queue of embeddings", embed, (200, of::<Drained>(types)));
    let search = Some(of::<Search>(types));
    add("post", "/search", "search", "Rows near to a text or a vector", search, (200, of::<Found>(types)));
    all
}

fn of<T: JsonSchema>(types: &mut SchemaGenerator) -> Schema {
    types.subschema_for::<T>()
}

fn operation(entry: &Entry, error: &Schema) -> Value {
    let open = matches!(entry.id, "health" | "openapi");
    let mut operation =
        json!({"operationId": entry.id, "summary": entry.summary, "parameters": parameters(entry)});
    if open {
        operation["security"] = json!([]);
    }
    if let Some(body) = &entry.body {
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": body}}});
    }
    operation["responses"] = responses(entry, error, open);
    operation
}

fn parameters(entry: &Entry) -> Value {
    let path =
        |name: &str, schema: Value| json!({"name": name, "in": "path", "required": true, "schema": schema});
    let mut all = Vec::new();
    if entry.path.contains("{id}") {
        all.push(path("id", json!({"type": "string", "format": "uuid"})));
    }
    if entry.path.contains("{name}") {
        all.push(path("name", json!({"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]{0,62}$"})));
    }
    if entry.id == "migrate" {
        let schema = json!({"type": "string", "pattern": "^[!-~]{1,255}$"});
        let about = "Deliveries with the same key start one run.";
        all.push(json!({"name": "Idempotency-Key", "in": "header", "description": about, "schema": schema}));
    }
    Value::Array(all)
}

fn responses(entry: &Entry, error: &Schema, open: bool) -> Value {
    let content = |schema: &Schema| json!({"application/json": {"schema": schema}});
    let (status, schema) = &entry.success;
    let mut success = json!({"description": "done", "content": content(schema)});
    if entry.id == "run" {
        success["content"]["text/event-stream"] = json!({"schema": {"type": "string"}});
    }
    let mut all = Map::new();
    all.insert(status.to_string(), success);
    let mut refuse = |refusals: &[(u16, &str)]| {
        for (status, meaning) in refusals {
            all.insert(status.to_string(), json!({"description": meaning, "content": content(error)}));
        }
    };
    if !open {
        refuse(&REFUSALS);
        refuse(&THING_REFUSALS);
    }
    if entry.body.is_some() {
        refuse(&BODY_REFUSALS);
    }
    if matches!(entry.id, "search" | "embed") {
        refuse(&[(502, "the provider of embeddings failed")]);
    }
    Value::Object(all)
}

/// Types for TypeScript. JSON has one kind of number.
pub fn typescript() -> String {
    let head = format!(
        "// Requests and answers of the Edge Function. Written by `cargo xtask api`. Bodies have at most {} bytes.\n",
        body::LIMIT
    );
    let all = [
        declaration::<Value>(),
        declaration::<Body>(),
        declaration::<Health>(),
        declaration::<Migrate>(),
        declaration::<Started>(),
        declaration::<Progress>(),
        declaration::<DryRun>(),
        declaration::<Cancelled>(),
        declaration::<crate::answer::Version>(),
        declaration::<crate::answer::Phase>(),
        declaration::<crate::answer::PlannedStep>(),
        declaration::<crate::answer::Item>(),
        declaration::<Pack>(),
        declaration::<Verify>(),
        declaration::<crate::answer::Check>(),
        declaration::<Verified>(),
        declaration::<SignOff>(),
        declaration::<Signed>(),
        declaration::<Embed>(),
        declaration::<crate::answer::Left>(),
        declaration::<crate::answer::Benched>(),
        declaration::<Drained>(),
        declaration::<Search>(),
        declaration::<crate::answer::Hit>(),
        declaration::<Found>(),
    ];
    all.into_iter().fold(head, |text, one| text + "\n" + &one)
}

fn declaration<T: TS + 'static>() -> String {
    let docs = T::docs().unwrap_or_default();
    format!("{docs}export {}\n", T::decl().replace("bigint", "number"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Route;

    #[test]
    fn what_is_served_is_what_the_types_say() {
        let served: Value = serde_json::from_str(crate::answer::OPENAPI).unwrap();
        assert!(served == openapi(), "run `cargo xtask api`");
    }

    #[test]
    fn the_types_for_typescript_are_those_of_today() {
        let bare = |text: &str| text.replace(|c: char| c.is_whitespace() || c == ',' || c == ';', "");
        let kept = include_str!("../supabase/functions/strata/types.ts");
        assert!(bare(kept) == bare(&typescript()), "run `cargo xtask api`");
    }

    #[test]
    fn every_route_that_is_described_is_one() {
        let described = openapi();
        let paths = described["paths"].as_object().unwrap();
        for (path, operations) in paths {
            let path =
                path.replace("{id}", "0b9f6e1c-5a7d-4c3e-9f21-3d5b8a7c6e10").replace("{name}", "aurum");
            for method in operations.as_object().unwrap().keys() {
                let found = Route::find(&method.to_uppercase(), &format!("/strata{path}"));
                assert!(found.is_ok(), "{method} {path}");
            }
        }
        assert_eq!(paths.len(), 12);
    }
}
