//! What a search is refused for, and the shape of the statement that answers it.

use super::*;

const QUERY: [f32; 3] = [0.0, 0.6, 0.8];

fn source(entity_type: &str) -> Source {
    Source {
        entity_type: entity_type.to_owned(),
        relation: ("public".to_owned(), format!("{entity_type}s")),
        key: "id".to_owned(),
        tenant: "user_id".to_owned(),
        title: Some("name".to_owned()),
        content: vec!["description".to_owned(), "notes".to_owned()],
        created_at: "created_at".to_owned(),
        metadata: vec!["status".to_owned()],
        json: vec![],
        hidden: None,
        vector: "embedding".to_owned(),
        model: "mini".to_owned(),
        dimensions: 3,
        access: Access::Readable,
        row_security: false,
    }
}

fn request() -> Request<'static> {
    Request { embedding: Some(&QUERY), count: Some(10), days: None }
}

fn refusal(request: Request<'_>, sources: &[Source]) -> (String, String) {
    let err = plan(&request, sources, "public").expect_err("must be refused");
    (err.sqlstate().to_owned(), err.to_string())
}

#[test]
fn refuses_a_count_that_is_null_or_out_of_range() {
    for (count, shown) in [(None, "null"), (Some(0), "0"), (Some(-1), "-1"), (Some(1001), "1001")] {
        let (sqlstate, message) = refusal(Request { count, ..request() }, &[source("task")]);
        assert_eq!(sqlstate, "22023");
        assert!(message.ends_with(&format!("not {shown}")), "{message}");
    }
    assert_eq!(
        plan(&Request { count: Some(1000), ..request() }, &[source("task")], "x").expect("fits").count,
        1000
    );
}

#[test]
fn refuses_a_negative_range_and_tames_an_endless_one() {
    let (sqlstate, message) = refusal(Request { days: Some(-7), ..request() }, &[source("task")]);
    assert_eq!(
        (sqlstate.as_str(), message.as_str()),
        ("22023", "date_range_days must not be negative, not -7")
    );
    let endless = plan(&Request { days: Some(i32::MAX), ..request() }, &[source("task")], "x").expect("fits");
    assert_eq!(endless.days, Some(1_000_000));
}

#[test]
fn refuses_an_embedding_that_is_null_or_points_nowhere() {
    let of = |embedding| refusal(Request { embedding, ..request() }, &[source("task")]).0;
    assert_eq!(of(None), "22004");
    assert_eq!(of(Some(&[0.0, 0.0, 0.0])), "22000");
    assert_eq!(of(Some(&[0.0, f32::NAN, 1.0])), "22000");
}

#[test]
fn names_the_source_that_another_dimension_belongs_to() {
    let wide = Source { dimensions: 384, ..source("task") };
    let err = plan(&request(), &[wide], "public").expect_err("differs");
    assert_eq!((err.sqlstate(), err.message()), ("22000", "expected 384 dimensions, not 3"));
    assert_eq!(err.get_detail(), Some("source \"task\" uses model \"mini\""));
}

#[test]
fn refuses_to_compare_two_models() {
    let other = Source { model: "maxi".to_owned(), ..source("insight") };
    let (sqlstate, message) = refusal(request(), &[source("task"), other]);
    assert_eq!(
        (sqlstate.as_str(), message.as_str()),
        ("55000", "sources use two models, \"mini\" and \"maxi\"")
    );
}

#[test]
fn names_a_table_or_a_column_that_is_gone() {
    let gone = |access| refusal(request(), &[source("insight"), Source { access, ..source("task") }]);
    let (sqlstate, message) = gone(Access::NoColumn("notes".to_owned()));
    assert_eq!(sqlstate, "42703");
    assert_eq!(message, "source \"task\": column \"notes\" of public.tasks does not exist");
    assert_eq!(gone(Access::NoTable).0, "42P01");
}

#[test]
fn names_a_column_whose_type_has_changed() {
    let misfit = Access::Misfit {
        column: "embedding".to_owned(),
        is: "vector(4)".to_owned(),
        should: "vector(3)".to_owned(),
    };
    let (sqlstate, message) = refusal(request(), &[Source { access: misfit, ..source("task") }]);
    assert_eq!(sqlstate, "42804");
    assert_eq!(
        message,
        "source \"task\": column \"embedding\" of public.tasks is of type vector(4), not vector(3)"
    );
}

#[test]
fn hidden_rows_are_left_out_by_flag_or_by_date() {
    let by = |hidden| {
        plan(&request(), &[Source { hidden: Some(hidden), ..source("task") }], "x").expect("plans").sql
    };
    assert!(by(Hidden::Flag("gone".to_owned())).contains("is not null and t.\"gone\" is not true\n"));
    assert!(by(Hidden::Since("gone_at".to_owned())).contains("is not null and t.\"gone_at\" is null\n"));
}

#[test]
fn a_column_that_may_not_fit_into_jsonb_goes_through_as_jsonb() {
    let odd = Source {
        metadata: vec!["a".to_owned(), "b".to_owned()],
        json: vec!["b".to_owned()],
        ..source("task")
    };
    let sql = plan(&request(), &[odd], "x").expect("plans").sql;
    assert!(sql.contains("('a', t.\"a\", 'b', strata.as_jsonb(pg_catalog.to_json(t.\"b\")))"));
}

#[test]
fn leaves_out_what_the_caller_may_not_read() {
    let denied = Source { access: Access::Denied, ..source("secret") };
    let plan = plan(&request(), &[denied.clone(), source("task")], "public").expect("one is left");
    assert!(!plan.sql.contains("secrets"));
    assert_eq!(refusal(request(), &[denied]).0, "42501");
    assert_eq!(refusal(request(), &[]).0, "55000");
}

#[test]
fn under_row_level_security_the_tenant_is_the_caller() {
    let (me, other) = ([1; 16], [2; 16]);
    let code = |filter, rls, caller| tenant(filter, rls, caller).map_err(|e| e.sqlstate().to_owned());
    assert_eq!(code(None, true, Some(me)), Ok(me));
    assert_eq!(code(Some(me), true, Some(me)), Ok(me));
    assert_eq!(code(Some(other), true, Some(me)), Err("42501".to_owned()));
    assert_eq!(code(Some(me), true, None), Err("42501".to_owned()));
    assert_eq!(code(None, true, None), Err("22004".to_owned()));
    assert_eq!(code(Some(other), false, None), Ok(other));
    assert_eq!(code(None, false, Some(me)), Err("22004".to_owned()));
    let message = tenant(Some(other), true, Some(me)).expect_err("not the caller").to_string();
    assert_eq!(message, "user_id_filter 02020202-0202-0202-0202-020202020202 is not the caller");
}

#[test]
fn no_index_on_the_vector_can_serve_the_order() {
    let sql = plan(&request(), &[source("task"), source("insight")], "ext ra").expect("plans").sql;
    let rank =
        "(t.\"embedding\" operator(\"ext ra\".<=>) $1) operator(pg_catalog.-) 1::pg_catalog.float8 as rank";
    assert_eq!(sql.matches(rank).count(), 2);
    assert!(!sql.contains("$4"));
    assert_eq!(sql.matches("limit $3").count(), 3);
}

#[test]
fn a_name_cannot_leave_its_quotes() {
    let odd = Source {
        entity_type: "it's".to_owned(),
        key: "i\"d".to_owned(),
        metadata: vec!["a'b\\".to_owned()],
        ..source("task")
    };
    let sql = plan(&Request { days: Some(3), ..request() }, &[odd], "public").expect("plans").sql;
    assert!(sql.contains("t.\"i\"\"d\"::pg_catalog.uuid as id"));
    assert!(sql.contains("'it''s'::pg_catalog.text"));
    assert!(sql.contains("E'a''b\\\\', t.\"a'b\\\""));
    assert!(sql.contains("make_interval(days => $4)"));
}

#[test]
fn many_metadata_columns_are_joined() {
    let metadata: Vec<String> = (0..120).map(|n| format!("c{n}")).collect();
    let sql = plan(&request(), &[Source { metadata, ..source("task") }], "public").expect("plans").sql;
    assert_eq!(sql.matches("jsonb_build_object(").count(), 3);
    let bare = Source { metadata: vec![], content: vec![], title: None, ..source("task") };
    assert!(
        plan(&request(), &[bare], "public")
            .expect("plans")
            .sql
            .contains("'{}'::pg_catalog.jsonb as metadata")
    );
}
