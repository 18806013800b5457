//! What a search is refused for, and the shape of the statement that answers it.

use super::*;

const QUERY: [f32; 3] = [0.0, 0.6, 0.8];

fn source(entity_type: &str) -> Source {
    Source {
        entity_type: entity_type.to_owned(),
        relation: ("public".to_owned(), format!("{entity_type}s")),
        key: "id".to_owned(),
        key_type: KeyType::Uuid,
        tenant: "user_id".to_owned(),
        tenant_type: KeyType::Uuid,
        organisation: None,
        vectors: None,
        title: Some("name".to_owned()),
        content: vec!["description".to_owned(), "notes".to_owned()],
        created_at: "created_at".to_owned(),
        metadata: vec!["status".to_owned()],
        json: vec![],
        hidden: None,
        words: None,
        vector: "embedding".to_owned(),
        store: None,
        model: "mini".to_owned(),
        dimensions: 3,
        access: Access::Readable,
        row_security: false,
    }
}

fn request() -> Request<'static> {
    Request { near: Near::Embedding(Some(&QUERY)), count: Some(10), days: None, options: Options::default() }
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
    let most = plan(&Request { count: Some(1000), ..request() }, &[source("task")], "x").expect("fits");
    assert!(most.arguments.contains(&Argument::Rows(1000)));
}

#[test]
fn refuses_a_negative_range_and_tames_an_endless_one() {
    let (sqlstate, message) = refusal(Request { days: Some(-7), ..request() }, &[source("task")]);
    assert_eq!(
        (sqlstate.as_str(), message.as_str()),
        ("22023", "date_range_days must not be negative, not -7")
    );
    let endless = plan(&Request { days: Some(i32::MAX), ..request() }, &[source("task")], "x").expect("fits");
    assert!(endless.arguments.contains(&Argument::Days(1_000_000)));
}

#[test]
fn refuses_an_embedding_that_is_null_or_points_nowhere() {
    let of = |near| refusal(Request { near: Near::Embedding(near), ..request() }, &[source("task")]).0;
    assert_eq!(of(None), "22004");
    assert_eq!(of(Some(&[0.0, 0.0, 0.0])), "22000");
    assert_eq!(of(Some(&[0.0, f32::NAN, 1.0])), "22000");
}

#[test]
fn an_embedding_of_any_length_keeps_its_direction() {
    assert_eq!(measurable(&[0.6, -0.8, 0.0]), None, "as every model's");
    assert_eq!(measurable(&[0.0, 3e38, -3e38]), Some(vec![0.0, 1.0, -1.0]));
    assert_eq!(measurable(&[1e-30, -2e-30]), Some(vec![0.5, -1.0]));
    for none in [[0.0, 0.0], [f32::NAN, 1.0], [f32::INFINITY, 1e-30], [f32::NEG_INFINITY, 0.0]] {
        assert_eq!(measurable(&none), None, "it has no direction: {none:?}");
        let request = Request { near: Near::Embedding(Some(&none)), ..request() };
        assert_eq!(refusal(request, &[source("task")]).0, "22000");
    }
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

fn with(options: Options<'_>) -> Request<'_> {
    Request { options, ..request() }
}

fn refused(options: Options<'_>) -> (String, String) {
    refusal(with(options), &[source("task"), source("insight")])
}

#[test]
fn refuses_options_that_cannot_be() {
    let types = |types: &[Option<&str>]| {
        let owned: Vec<Option<String>> = types.iter().map(|t| t.map(str::to_owned)).collect();
        refused(Options { entity_types: Some(&owned), ..Options::default() })
    };
    assert_eq!(types(&[]), ("22023".into(), "entity_types must not be empty".into()));
    assert_eq!(types(&[Some("task"), None]), ("22004".into(), "entity_types must not contain null".into()));
    assert_eq!(
        types(&[Some("tasks")]),
        ("42704".into(), "entity_types: entity type \"tasks\" is not a source".into())
    );
    for (minimum, shown) in [(1.5, "1.5"), (-1.1, "-1.1"), (f64::NAN, "NaN")] {
        let (sqlstate, message) = refused(Options { minimum: Some(minimum), ..Options::default() });
        assert_eq!(sqlstate, "22023");
        assert_eq!(message, format!("minimum_similarity must be between -1 and 1, not {shown}"));
    }
    assert_eq!(
        refused(Options { diversity: Some(2.0), ..Options::default() }).1,
        "diversity must be between 0 and 1, not 2"
    );
    assert_eq!(
        refused(Options { metadata_is_object: Some(false), ..Options::default() }).1,
        "metadata_filter must be an object"
    );
    for (weights, message) in [
        (serde_json::json!([1]), "source_weights must be an object"),
        (serde_json::json!({"x": 1}), "source_weights: entity type \"x\" is not a source"),
        (serde_json::json!({"task": 0}), "the weight of \"task\" must be a number above 0, not 0"),
        (
            serde_json::json!({"task": 1e308}),
            "the weight of \"task\" must be between 1e-100 and 1e100, not 1e+308",
        ),
        (
            serde_json::json!({"task": 5e-324}),
            "the weight of \"task\" must be between 1e-100 and 1e100, not 5e-324",
        ),
        (serde_json::json!({"task": "1"}), "the weight of \"task\" must be a number above 0, not \"1\""),
    ] {
        assert_eq!(refused(Options { weights: Some(&weights), ..Options::default() }).1, message);
    }
}

#[test]
fn a_source_that_nobody_asked_for_is_not_looked_at() {
    let broken = Source { access: Access::NoTable, model: "maxi".to_owned(), ..source("old") };
    let named = [Some("task".to_owned())];
    let options = Options { entity_types: Some(&named), ..Options::default() };
    let sql = plan(&with(options), &[broken, source("task")], "x").expect("plans").sql;
    assert!(!sql.contains("olds"));
    let denied = Source { access: Access::Denied, ..source("task") };
    assert_eq!(
        refusal(with(options), &[denied, source("insight")]),
        ("42501".into(), "permission denied for source \"task\"".into())
    );
}

#[test]
fn each_argument_has_the_place_that_the_statement_names() {
    let weights = serde_json::json!({"insight": 3});
    let options = Options {
        minimum: Some(0.5),
        metadata_is_object: Some(true),
        weights: Some(&weights),
        ..Options::default()
    };
    let request = Request { days: Some(7), ..with(options) };
    let plan = plan(&request, &[source("task"), source("insight")], "x").expect("plans");
    assert_eq!(
        plan.arguments,
        [
            Argument::Embedding,
            Argument::Tenant,
            Argument::Rows(10),
            Argument::Days(7),
            Argument::Metadata,
            Argument::Minimum(0.5),
            Argument::Weights(vec![1.0, 3.0])
        ]
    );
    for (place, text) in [
        (4, "days => $4"),
        (5, "operator(pg_catalog.@>) $5"),
        (6, "operator(pg_catalog.-) $6)"),
        (7, "($7)[r.source"),
    ] {
        assert!(plan.sql.contains(text), "${place}: {}", plan.sql);
    }
}

#[test]
fn a_search_from_a_row_leaves_that_row_out_of_its_own_source_alone() {
    let request = Request { near: Near::Row("task"), ..request() };
    let plan = plan(&request, &[source("task"), source("insight")], "x").expect("plans");
    assert_eq!(plan.arguments[0], Argument::Row);
    assert_eq!(plan.sql.matches("and not (t.\"id\" operator(pg_catalog.=) $4)").count(), 1);
    assert_eq!(plan.sql.matches("(select o.\"embedding\" from \"public\".\"tasks\" o").count(), 2);
    let refused = refusal(Request { count: Some(0), ..request }, &[source("task")]).1;
    assert_eq!(refused, "max_results must be between 1 and 1000, not 0");
    let unknown = Request { near: Near::Row("x"), ..request };
    assert_eq!(refusal(unknown, &[source("task")]).1, "input_entity_type: entity type \"x\" is not a source");
}

#[test]
fn a_row_that_nothing_can_begin_at_is_named() {
    let id = [1; 16];
    let code = |row| can_begin("task", &id, row).map_err(|e| (e.sqlstate().to_owned(), e.to_string()));
    let name = "task 01010101-0101-0101-0101-010101010101";
    assert_eq!(code(Some(([2; 16], Some(1.0)))), Ok([2; 16]));
    assert_eq!(code(None), Err(("42704".into(), format!("{name} does not exist"))));
    assert_eq!(code(Some((id, None))), Err(("55000".into(), format!("{name} has no embedding"))));
    assert_eq!(
        code(Some((id, Some(0.0)))),
        Err(("22000".into(), format!("the embedding of {name} has no direction")))
    );
}

fn candidate(id: u8, similarity: f64, vector: [f32; 2]) -> Candidate<u8> {
    let source = i32::from(id > 9);
    Candidate {
        source,
        id,
        rank: Some(-similarity),
        relevance: (1.0 + similarity) / 2.0,
        vector: vector.to_vec(),
    }
}

fn picked(diversity: f64, wanted: i64, weight: f64) -> Vec<u8> {
    let mut candidates = vec![
        candidate(1, 0.99, [2.0, 0.0]),
        candidate(2, 0.98, [1.0, 0.01]),
        candidate(10, 0.60, [0.0, 1.0]),
        candidate(3, f64::NAN, [0.0, 0.0]),
    ];
    candidates[2].relevance *= weight;
    let mut picker = Picker::new(candidates, diversity, wanted);
    std::iter::from_fn(|| picker.pick()).map(|c| c.id).collect()
}

#[test]
fn a_diverse_answer_prefers_what_is_unlike_the_rows_above() {
    assert_eq!(picked(0.01, 4, 1.0), [1, 2, 10, 3]);
    assert_eq!(picked(0.5, 4, 1.0), [1, 10, 2, 3]);
    assert_eq!(picked(0.5, 2, 1.0), [1, 10]);
    assert_eq!(picked(0.01, 3, 2.0), [10, 1, 2]);
    assert_eq!(picked(1.0, 9, 1.0).len(), 4, "never fewer than there are");
}

fn worded(entity_type: &str, config: &str) -> Source {
    Source {
        words: Some(Words { name: config.to_owned(), config: Some(config.to_owned()), column: None }),
        ..source(entity_type)
    }
}

fn asking(text: &str) -> Options<'_> {
    Options { text: Some(text), ..Options::default() }
}

#[test]
fn a_text_is_looked_for_in_the_sources_that_have_words() {
    let sources = [source("goal"), worded("task", "pg_catalog.english"), worded("note", "pg_catalog.german")];
    let plan = plan(&with(asking("pay the rent")), &sources, "x").expect("plans");
    assert_eq!(
        plan.arguments[1..],
        [
            Argument::Tenant,
            Argument::Rows(10),
            Argument::Rows(100),
            Argument::Text,
            Argument::TextWeight(0.5)
        ]
    );
    assert!(plan.sql.contains("(values (0, 'pg_catalog.english'::pg_catalog.regconfig), (1, 'pg_catalog.german'::pg_catalog.regconfig))"));
    assert!(
        plan.sql.contains("select 1 as source, 0 as config")
            && plan.sql.contains("select 2 as source, 1 as config")
    );
    assert!(!plan.sql.contains("select 0 as source, 0 as config"), "goal has no words");
    assert_eq!(
        plan.sql.matches("limit $4").count(),
        5,
        "three sources, the nearest of all, and the words: {}",
        plan.sql
    );
}

#[test]
fn a_blank_text_is_none_and_one_that_no_source_can_be_asked_is_refused() {
    let sources = [source("goal")];
    let plain = plan(&request(), &sources, "x").expect("plans");
    assert_eq!(plan(&with(asking(" \n ")), &sources, "x").expect("plans"), plain);
    assert_eq!(
        refusal(with(asking("rent")), &sources),
        ("55000".into(), "no source can be searched by its words".into())
    );
}

#[test]
fn refuses_a_text_without_end_and_a_share_that_is_none() {
    let long = "a".repeat(500_001);
    assert_eq!(
        refused(asking(&long)),
        ("22023".into(), "query_text must have at most 500000 bytes, not 500001".into())
    );
    for (share, shown) in [(-0.1, "-0.1"), (1.5, "1.5"), (f64::NAN, "NaN")] {
        let options = Options { text_weight: Some(share), ..Options::default() };
        assert_eq!(
            refused(options),
            ("22023".into(), format!("text_weight must be between 0 and 1, not {shown}"))
        );
    }
}

#[test]
fn quotes_and_minus_signs_are_operators_where_somebody_meant_them() {
    use request::has_operators;
    for text in ["\"boundary layer\" wing", "wing -tail", "-\"heat transfer\" wing", "a \"b"] {
        assert_eq!(has_operators(text), text != "a \"b", "{text}");
    }
    for text in ["a wing - or a tail", "at -5 degrees", "free-flight", "this or that", ""] {
        assert!(!has_operators(text), "{text}");
    }
    assert!(!has_operators(&"-wing ".repeat(1000)), "a document quotes others");
}

#[test]
fn one_pass_unless_something_dear_would_be_computed_for_rows_that_are_left_out() {
    let passes = |source: Source| {
        let sql = plan(&request(), &[source], "x").expect("plans").sql;
        sql.matches("from \"public\".\"tasks\" t").count()
    };
    let plain = || Source { content: vec!["notes".to_owned()], ..source("task") };
    assert_eq!(passes(plain()), 1);
    assert_eq!(passes(source("task")), 2, "two texts are put together");
    assert_eq!(passes(Source { json: vec!["mood".to_owned()], ..plain() }), 2, "a json is parsed");
}

#[test]
fn a_column_may_have_the_name_that_we_would_give() {
    let metadata = vec!["rank".to_owned(), "rank_".to_owned()];
    let odd = Source { metadata, content: vec![], ..source("task") };
    let sql = plan(&request(), &[odd], "x").expect("plans").sql;
    assert!(sql.contains("1::pg_catalog.float8 as rank__"), "{sql}");
    assert!(sql.contains("t.rank__ as rank"), "{sql}");
}

#[test]
fn a_search_names_rows_and_tenants_in_the_type_of_the_column() {
    let of = |key_type, tenant_type, ids| {
        let source = Source { key_type, tenant_type, ..source("task") };
        plan(&with(Options { ids, ..Options::default() }), &[source], "x").map(|plan| plan.sql)
    };
    let sql = of(KeyType::Number, KeyType::Number, Ids::Text).expect("plans");
    for part in [
        "t.\"id\"::pg_catalog.text as id",
        "t.\"user_id\" operator(pg_catalog.=) $2::pg_catalog.int8",
        "t.\"id\" operator(pg_catalog.=) b.id::pg_catalog.int8 limit 1",
    ] {
        assert!(sql.contains(part), "{part}: {sql}");
    }
    let sql = of(KeyType::Uuid, KeyType::Text, Ids::Uuid).expect("plans");
    assert!(
        sql.contains("t.\"user_id\"::pg_catalog.text operator(pg_catalog.=) $2::pg_catalog.text"),
        "{sql}"
    );
    for (key, tenant, shown) in [
        (KeyType::Number, KeyType::Uuid, "bigint and tenants of type uuid"),
        (KeyType::Uuid, KeyType::Number, "uuid and tenants of type bigint"),
        (KeyType::Text, KeyType::Text, "text and tenants of type text"),
    ] {
        let refused = of(key, tenant, Ids::Uuid).expect_err("no uuids");
        assert_eq!(refused.sqlstate(), "55000");
        assert_eq!(refused.message(), format!("source \"task\" has keys of type {shown}"));
    }
}

#[test]
fn embeddings_in_another_table_are_joined_and_never_by_the_short_way() {
    let vectors = Vectors {
        relation: ("ai".to_owned(), "embeddings".to_owned()),
        key: "entity_id".to_owned(),
        entity_type: Some("entity_type".to_owned()),
    };
    let central = Source { vectors: Some(vectors), content: vec![], ..source("task") };
    let sql = plan(&request(), &[central], "x").expect("plans").sql;
    let join = "from \"public\".\"tasks\" t join \"ai\".\"embeddings\" v on v.\"entity_id\" operator(pg_catalog.=) t.\"id\" \
                and v.\"entity_type\"::pg_catalog.text operator(pg_catalog.=) 'task'";
    assert!(sql.contains(join) && sql.contains("(v.\"embedding\" operator("), "{sql}");
}

#[test]
fn an_organisation_leaves_out_what_has_none() {
    let of = |sources: &[Source], types: Option<&[Option<String>]>| {
        let options = Options { organisation: Some("7"), entity_types: types, ..Options::default() };
        plan(&with(options), sources, "x").map_err(|e| (e.sqlstate().to_owned(), e.to_string()))
    };
    let owned = Source { organisation: Some(("org".to_owned(), KeyType::Number)), ..source("task") };
    let plan = of(&[owned.clone(), source("note")], None).expect("one is left");
    assert!(plan.sql.contains(" and t.\"org\" operator(pg_catalog.=) $4::pg_catalog.int8"), "{}", plan.sql);
    assert!(plan.arguments.contains(&Argument::Organisation) && !plan.sql.contains("\"public\".\"notes\""));
    let refused = Err(("55000".to_owned(), "source \"note\" has no organisations".to_owned()));
    assert_eq!(of(&[owned, source("note")], Some(&[Some("note".to_owned())])), refused);
    assert_eq!(of(&[source("note")], None), refused);
}

#[test]
fn a_tenant_whose_name_no_source_can_have_is_refused_and_others_are_left_out() {
    let of = |tenant: &str, kinds: &[KeyType]| {
        let named = |(n, of): (usize, &KeyType)| Source { tenant_type: *of, ..source(&format!("s{n}")) };
        let sources: Vec<Source> = kinds.iter().enumerate().map(named).collect();
        let options = Options { ids: Ids::Text, tenant: Some(tenant), ..Options::default() };
        let plan = plan(&with(options), &sources, "x");
        plan.map(|plan| plan.sql).map_err(|e| (e.sqlstate().to_owned(), e.to_string()))
    };
    let all = [KeyType::Text, KeyType::Number, KeyType::Uuid];
    let sql = of("user_1", &all).expect("one is left");
    assert!(sql.contains("\"s0s\"") && !sql.contains("\"s1s\"") && !sql.contains("\"s2s\""), "{sql}");
    let sql = of("-7", &all).expect("two are left");
    assert!(sql.contains("\"s1s\"") && !sql.contains("\"s2s\""), "{sql}");
    let uuid = "{A0000000-0000-4000-8000-000000000001}";
    let sql = of(uuid, &all).expect("two are left");
    assert!(sql.contains("\"s2s\"") && !sql.contains("\"s1s\""), "{sql}");
    let refused = |name: &str, of| Err(("22P02".to_owned(), format!("user_id_filter \"{name}\" is no {of}")));
    assert_eq!(of("user_1", &[KeyType::Uuid]), refused("user_1", "uuid"));
    assert_eq!(of("9223372036854775808", &all[1..2]), refused("9223372036854775808", "bigint"));
}

#[test]
fn an_index_is_asked_for_the_tenant_that_has_it_and_no_other() {
    let ann: Id = [0xa0; 16];
    let store = Store { name: "mini".to_owned(), half: true, chunked: false, indexed: vec![ann] };
    let stored = Source { store: Some(store), ..source("task") };
    let ranked = |request: Request<'_>| {
        let plan = plan(&request, std::slice::from_ref(&stored), "public").expect("right");
        plan.ranked.expect("ranked as it is read").by_index
    };
    let by_index = ranked(request()).expect("there is an index");
    let sql = by_index.vectors(ann, EF_SEARCH).expect("theirs");
    assert!(sql.contains("'a0a0a0a0-a0a0-a0a0-a0a0-a0a0a0a0a0a0'::pg_catalog.uuid"), "{sql}");
    assert!(sql.ends_with("limit 40"), "{sql}");
    assert_eq!(by_index.vectors([0xb0; 16], EF_SEARCH), None, "another tenant");
    assert_eq!(by_index.vectors(ann, 0), None, "the session wants none");
    assert_eq!((by_index.ef_search(10), by_index.ef_search(800)), (40, 800));
    assert!(ranked(Request { count: Some(490), ..request() }).is_some());
    assert_eq!(ranked(Request { count: Some(491), ..request() }), None, "more than an index leads to");
    let types = [Some("task".to_owned())];
    let of_one =
        || Request { options: Options { entity_types: Some(&types), ..Options::default() }, ..request() };
    assert!(ranked(of_one()).is_some(), "there is no other");
    let both = [stored.clone(), Source { entity_type: "note".to_owned(), ..stored.clone() }];
    let by_index =
        |plan: Result<Plan, Error>| plan.expect("right").ranked.expect("ranked as it is read").by_index;
    assert_eq!(by_index(plan(&of_one(), &both, "public")), None, "another source is in the index, too");
    assert!(by_index(part(&of_one(), &both, "public")).is_some());
    let weights = serde_json::json!({"task": 2.0});
    let options = Options { weights: Some(&weights), ..Options::default() };
    assert_eq!(ranked(Request { options, ..request() }), None, "another order");
}

#[test]
fn an_id_is_read_as_postgres_reads_it() {
    let id = |text: &str| request::id(text);
    let ann = "a0000000-0000-4000-8000-000000000001";
    assert_eq!(id(ann).map(|id| Name::shown(&id)).as_deref(), Some(ann));
    assert_eq!(id(&format!(" {{{}}} ", ann.to_uppercase())), id(ann));
    for none in ["", "user_1", "a0000000-0000-4000-8000-00000000000", "+0000000-0000-4000-8000-000000000001"]
    {
        assert_eq!(id(none), None, "{none}");
    }
}
