//! The running project, as `cargo xtask stack --json` tells of it.

use super::http::{Answer, Client};
use postgres::{Client as Database, NoTls};
use serde_json::{Value, json};
use std::time::Duration;

/// A project that `cargo xtask bench edge` has started.
pub struct Project {
    told: Value,
}

impl Project {
    /// Told of by the environment.
    pub fn running() -> Project {
        let text = std::env::var("STRATA_TEST_STACK").expect("cargo xtask bench edge starts this");
        Project { told: serde_json::from_str(&text).expect("the stack tells JSON") }
    }

    /// A text at a path of what was told.
    pub fn text(&self, path: &[&str]) -> &str {
        self.at(path).as_str().expect("a text")
    }

    /// A number at a path of what was told.
    pub fn number(&self, path: &[&str]) -> f64 {
        self.at(path).as_f64().expect("a number")
    }

    fn at(&self, path: &[&str]) -> &Value {
        path.iter().fold(&self.told, |value, name| &value[name])
    }

    /// `host:port` of the gateway.
    pub fn address(&self) -> &str {
        self.text(&["url"]).trim_start_matches("http://")
    }

    /// Its database, as the owner.
    pub fn database(&self) -> Database {
        Database::connect(self.text(&["database"]), NoTls).expect("the database of the stack")
    }

    /// `select version()`.
    pub fn server(&self) -> String {
        self.database().query_one("select version()", &[]).expect("a version").get(0)
    }

    /// Header lines of the project itself.
    pub fn service(&self) -> Vec<(&'static str, String)> {
        vec![("apikey", self.text(&["keys", "secret"]).to_owned())]
    }

    /// Header lines of somebody who has signed in.
    pub fn user(&self) -> Vec<(&'static str, String)> {
        let bearer = format!("Bearer {}", self.text(&["keys", "user"]));
        vec![("apikey", self.text(&["keys", "publishable"]).to_owned()), ("authorization", bearer)]
    }

    /// A table of notes of the user's, and somebody else's, to search in.
    pub fn notes(&self) {
        let statements = "
            create table public.bench_note (id uuid primary key default gen_random_uuid(), user_id uuid not null, body text,
                embedding vector(3), created_at timestamptz not null default now());
            alter table public.bench_note enable row level security;
            create policy own on public.bench_note using (user_id = (select auth.uid()));
            grant select on public.bench_note to authenticated;
            select strata.add_model('bench', 'openai', 3);
            select strata.add_source('bench_note', 'public.bench_note', 'id', 'user_id', null, array['body'], 'embedding', 'bench');
            insert into public.bench_note (user_id, body, embedding)
            select case g % 2 when 0 then '10000000-0000-4000-8000-000000000001' else gen_random_uuid() end, 'note ' || g,
                   array[1, g % 7, g % 11]::vector
            from generate_series(1, 500) g";
        self.database().batch_execute(statements).expect("notes");
    }

    /// A run that has ended.
    pub fn ended_run(&self) -> String {
        let mut database = self.database();
        database
            .batch_execute(
                "select strata.push_pack(jsonb_build_object('name', 'bench', 'files', jsonb_build_array(jsonb_build_object(
                     'name', '1_a.up.sql', 'text', 'select 1', 'sha256', encode(sha256('select 1'), 'hex')))));
                 select strata.delegate_pack('bench', 'service_role')",
            )
            .expect("a pack");
        let mut client = Client::to(self.address());
        let asked = json!({"pack": "bench"}).to_string();
        let started = client.post("/functions/v1/strata/migrate", &self.service(), &asked);
        let run = body(&started)["run"].as_str().expect("a run").to_owned();
        let path = format!("/functions/v1/strata/runs/{run}");
        while body(&client.get(&path, &self.service()))["state"] != "succeeded" {
            std::thread::sleep(Duration::from_millis(20));
        }
        run
    }
}

fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{answer:?}"))
}
