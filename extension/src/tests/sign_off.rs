//! Checklists, sign-offs and the state of phases, as one transaction sees them. `tests/tests/sign_off.rs` has the runs.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// Two versions in two phases, one phase without any, and one that contracts.
    fn pack() {
        tables();
        run("insert into strata.pack (name, title, manifest) values ('p', 'P', '{\"phases\": [
                 {\"number\": 1, \"name\": \"One\"},
                 {\"number\": 2, \"name\": \"Two\", \"needs\": [\"embedded\"]},
                 {\"number\": 3, \"name\": \"Three\", \"needs\": [\"verified\", \"signed\", \"backup_restored\"],
                  \"sign\": {\"dba\": \"a DBA is there\"}, \"contract\": true}]}');
             insert into strata.migration (pack, version, name, phase, state, checksum, files, applied_at) values
                 ('p', 1, 'first', 1, 'applied', 'x', 'one', now()), ('p', 2, 'second', 3, 'pending', 'y', 'two', null)");
    }

    fn states() -> String {
        list("select item || ':' || kind || ':' || state from strata.checklist('p')")
    }

    fn sign(item: &str) {
        run(&format!("select strata.sign_off('p', '{item}', 'sure', '{{\"dump\": \"d\"}}')"));
    }

    fn state(item: &str) -> String {
        ask(&format!("select concat_ws(' ', state, detail) from strata.checklist('p') where item = '{item}'"))
    }

    #[pg_test]
    fn a_checklist_has_a_row_for_each_thing_that_must_hold() {
        pack();
        assert_eq!(
            states(),
            "2.embedded:gate:met 3.verified:verification:met 3.signed:sign-off:open 3.backup_restored:backup:open \
             3.dba:sign-off:open finalize:sign-off:open"
        );
        assert_eq!(state("3.dba"), "open 3.dba is not signed: a DBA is there");
    }

    #[pg_test]
    fn what_is_signed_says_who_and_when_until_it_is_withdrawn() {
        pack();
        sign("3.signed");
        assert_eq!(
            ask("select state = 'signed' and signed_by = session_user and signed_at <= clock_timestamp() and detail = 'sure'
                 from strata.checklist('p') where item = '3.signed'"),
            "true"
        );
        run("select strata.withdraw_sign_off('p', '3.signed', 'too early')");
        assert!(state("3.signed").starts_with("open the sign-off of 3.signed was withdrawn by "));
        sign("3.signed");
        assert_eq!(state("3.signed"), "signed sure");
        assert_eq!(ask("select count(*) from strata.signature"), "3");
    }

    #[pg_test]
    fn a_changed_file_opens_what_was_signed_for_it() {
        pack();
        sign("3.signed");
        run("update strata.migration set files = 'three' where version = 2");
        assert!(state("3.signed").contains(" is for other files than these"));
        sign("3.signed");
        run("update strata.migration set files = 'four' where version = 1");
        assert_eq!(state("3.signed"), "signed sure", "a file of another phase");
    }

    #[pg_test]
    fn a_sign_off_is_refused_with_its_reason() {
        pack();
        let cases = [
            ("'q', '3.signed', 'sure'", "42704 pack \"q\" is not known here"),
            ("'p', '3.nope', 'sure'", "42704 pack \"p\" has no item \"3.nope\""),
            ("'p', '2.embedded', 'sure'", "22023 item 2.embedded is measured, not signed"),
            ("'p', '3.signed', ' '", "22023 item 3.signed is not signed without a reason"),
            ("'p', '3.signed', null", "22023 item 3.signed is not signed without a reason"),
            (
                "'p', '3.signed', 'sure', '[]'",
                "22023 item 3.signed needs evidence: a JSON object that is not empty",
            ),
            (
                "'p', '3.backup_restored', 'sure'",
                "22023 item 3.backup_restored needs evidence: a JSON object that is not empty",
            ),
            (
                "'p', '3.signed', 'sure', files => '2 other'",
                "ST007 the files of phase 3 that you see are not those that the database knows",
            ),
        ];
        for (arguments, told) in cases {
            assert_eq!(refusal(&format!("select strata.sign_off({arguments})")), told);
        }
        run("select strata.sign_off('p', '3.signed', 'sure', files => '2 two')");
        assert!(
            refusal("select strata.sign_off('p', '3.signed', 'again')")
                .starts_with("55000 item 3.signed is signed already, by ")
        );
    }

    #[pg_test]
    fn a_withdrawal_is_refused_with_its_reason() {
        pack();
        let withdraw = |arguments: &str| refusal(&format!("select strata.withdraw_sign_off({arguments})"));
        assert_eq!(withdraw("'q', '3.signed', 'x'"), "42704 pack \"q\" is not known here");
        assert_eq!(withdraw("'p', '3.nope', 'x'"), "42704 pack \"p\" has no item \"3.nope\"");
        assert_eq!(withdraw("'p', '3.verified', 'x'"), "22023 item 3.verified is measured, not signed");
        assert_eq!(withdraw("'p', '3.signed', 'x'"), "55000 item 3.signed is not signed");
        sign("3.signed");
        assert_eq!(
            withdraw("'p', '3.signed', ''"),
            "22023 the sign-off of 3.signed is not withdrawn without a reason"
        );
    }

    #[pg_test]
    fn signatures_can_only_be_added() {
        pack();
        sign("3.signed");
        for sql in [
            "update strata.signature set signer = 'x'",
            "delete from strata.signature",
            "truncate strata.signature",
        ] {
            let verb = sql.split(' ').next().unwrap_or_default();
            assert_eq!(refusal(sql), format!("55000 strata.signature is append-only: {verb} refused"));
        }
    }

    #[pg_test]
    fn a_verification_is_open_while_something_is_pending_or_has_failed() {
        pack();
        run("insert into strata.history (pack, version, name, direction, event, message) values
                 ('p', 1, 'first', 'verify', 'failed', 'rows: expected 2, found 1')");
        assert_eq!(
            state("3.verified"),
            "open the verification of version 1 (first) failed: rows: expected 2, found 1"
        );
        run(
            "insert into strata.history (pack, version, name, direction, event) values ('p', 1, 'first', 'verify', 'succeeded')",
        );
        assert!(state("3.verified").starts_with("met 1 versions were verified"));
        run("update strata.migration set state = 'pending', applied_at = null where version = 1");
        assert_eq!(state("3.verified"), "open version 1 (first) is pending");
    }

    #[pg_test]
    fn every_phase_has_a_state_also_without_migrations() {
        pack();
        let phases =
            "select concat_ws(':', phase, applied || '/' || versions, gate) from strata.phase_status('p')";
        assert_eq!(list(phases), "1:1/1:none 2:0/0:met 3:0/1:open");
        run("insert into strata.phase_passed (pack, phase) values ('p', 2)");
        run("update strata.migration set state = 'applying' where version = 2");
        assert_eq!(list(phases), "1:1/1:none 2:0/0:passed 3:0/1:passed");
        for call in ["phase_status", "checklist"] {
            assert_eq!(refusal(&format!("select strata.{call}('q')")), "42704 pack \"q\" is not known here");
        }
    }

    #[pg_test]
    fn nobody_signs_who_was_not_allowed_to() {
        pack();
        run("create role signer; grant usage on schema strata to signer; set local role signer");
        for call in
            ["checklist('p')", "sign_off('p', '3.signed', 'x')", "withdraw_sign_off('p', '3.signed', 'x')"]
        {
            assert!(refusal(&format!("select strata.{call}")).starts_with("42501 "), "{call}");
        }
        run(
            "reset role; grant execute on function strata.sign_off, strata.checklist to signer; set local role signer",
        );
        sign("3.signed");
        assert_eq!(
            ask("select signed_by = session_user from strata.checklist('p') where item = '3.signed'"),
            "true"
        );
    }
    #[pg_test]
    fn a_signature_that_comes_through_an_api_names_whom_it_speaks_for() {
        pack();
        let signed_as = |claims: &str| {
            run(&format!("set local request.jwt.claims = '{claims}'"));
            sign("3.signed");
            let signer = ask("select signed_by from strata.checklist('p') where item = '3.signed'");
            run("select strata.withdraw_sign_off('p', '3.signed', 'again')");
            signer
        };
        let me = ask("select session_user");
        assert_eq!(signed_as(r#"{"role": "service_role"}"#), format!("{me}/service_role"));
        assert_eq!(signed_as(r#"{"role": "service_role", "sub": "ann"}"#), format!("{me}/ann"));
        for nobody in ["", "{", "[]", "7", "{}", r#"{"sub": ""}"#] {
            assert_eq!(signed_as(nobody), me, "{nobody}");
        }
    }
}
