//! Version 010 of the Aurum pack: a task that is written while its project, or its area, moves ends where they end.

use postgres::Client;
use strata_tests::{Database, aurum};

/// A project with an area, another area with another pillar, of one person.
struct Place {
    user: String,
    project: String,
    area: String,
    elsewhere: String,
    pillar: String,
}

fn place(database: &Database) -> Place {
    let row = &database.rows(
        "select p.user_id::text, p.id::text, p.area_id::text, a.id::text, a.pillar_id::text
         from projects p join areas old on old.id = p.area_id
         join areas a on a.user_id = p.user_id and a.id <> p.area_id and a.pillar_id is distinct from old.pillar_id
         order by p.id, a.id limit 1",
        &[],
    )[0];
    let [user, project, area, elsewhere, pillar] = [0, 1, 2, 3, 4].map(|column| row.get(column));
    Place { user, project, area, elsewhere, pillar }
}

fn insert(place: &Place) -> String {
    format!(
        "insert into tasks (user_id, project_id, name) values ('{}', '{}', 'the late one')",
        place.user, place.project
    )
}

/// Runs `first` and leaves it open until `second`, in another session, waits for it; then commits both.
fn beside(database: &Database, first: &str, second: &str) {
    let mut one: Client = database.connect();
    one.batch_execute(&format!("begin; {first}")).expect("the first goes ahead");
    let (mut other, second) = (database.connect(), second.to_owned());
    let waiter = std::thread::spawn(move || other.batch_execute(&second));
    database.until("select exists (select from pg_locks l join pg_stat_activity a using (pid) where not l.granted and a.datname = current_database())");
    one.batch_execute("commit").expect("committed");
    waiter.join().expect("no panic").expect("the second goes after it");
}

fn ends(database: &Database) -> (String, String) {
    let rows =
        database.rows("select area_id::text, pillar_id::text from tasks where name = 'the late one'", &[]);
    (rows[0].get(0), rows[0].get(1))
}

#[test]
fn a_task_that_comes_while_its_project_moves_gets_the_new_area() {
    let database = aurum::migrated();
    let place = place(&database);
    let moving =
        format!("update projects set area_id = '{}' where id = '{}'", place.elsewhere, place.project);
    beside(&database, &moving, &insert(&place));
    assert_eq!(ends(&database), (place.elsewhere, place.pillar));
}

#[test]
fn a_project_that_moves_while_a_task_comes_takes_it_along() {
    let database = aurum::migrated();
    let place = place(&database);
    let moving =
        format!("update projects set area_id = '{}' where id = '{}'", place.elsewhere, place.project);
    beside(&database, &insert(&place), &moving);
    assert_eq!(ends(&database), (place.elsewhere, place.pillar));
}

#[test]
fn an_area_that_moves_to_another_pillar_takes_the_task_along_too() {
    let place_of = |first: fn(&Place, &str) -> (String, String)| {
        let database = aurum::migrated();
        let place = place(&database);
        let moving = format!("update areas set pillar_id = '{}' where id = '{}'", place.pillar, place.area);
        let (one, other) = first(&place, &moving);
        beside(&database, &one, &other);
        assert_eq!(ends(&database), (place.area, place.pillar));
    };
    place_of(|place, moving| (moving.to_owned(), insert(place)));
    place_of(|place, moving| (insert(place), moving.to_owned()));
}

#[test]
fn who_may_not_see_a_project_does_not_learn_its_area() {
    let database = aurum::migrated();
    let place = place(&database);
    let mut session = database.connect();
    session
        .batch_execute(&format!(
            "select set_config('request.jwt.claims', '{{\"sub\": \"{}\"}}', false), set_config('request.jwt.claim.sub', '{0}', false);
             set role authenticated; {}",
            place.user,
            insert(&place)
        ))
        .expect("one's own project");
    assert_eq!(ends(&database).0, place.area);
    let stranger = format!(
        "set request.jwt.claims = '{{\"sub\": \"{0}\"}}'; set request.jwt.claim.sub = '{0}';
         insert into tasks (user_id, project_id, name) values ('{0}', '{1}', 'a stranger''s')",
        aurum::TOMASZ,
        place.project
    );
    assert_ne!(place.user, aurum::TOMASZ);
    session.batch_execute(&stranger).expect("the foreign key looks, and row level security does not stop it");
    let area: Option<String> = database.value("select area_id::text from tasks where name = 'a stranger''s'");
    assert_eq!(area, None);
}
