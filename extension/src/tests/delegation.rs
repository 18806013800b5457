//! Packs that are lent to a role that owns nothing, and requests that are delivered more than once.

use pgrx::prelude::*;

#[pg_schema]
mod tests {
    use crate::tests::fixture::*;
    use pgrx::prelude::*;

    /// A verification that tells as whom it is executed.
    const VERIFY: &str = "select 'who', current_user::text, current_setting('search_path'), true";

    /// A pack, an owner who is no superuser, and a service that was granted what HTTP asks for.
    fn lent() {
        tables();
        run(&format!(
            "create role lender; create role service; alter role lender set search_path = lent, public;
             select strata.push_pack(jsonb_build_object('name', 'p', 'files', (
                 select jsonb_agg(jsonb_build_object('name', f.name, 'text', f.text,
                                                     'sha256', encode(sha256(convert_to(f.text, 'UTF8')), 'hex')))
                 from (values ('1_a.up.sql', 'select 1'), ('1_a.verify.sql', $t${VERIFY}$t$)) f (name, text))));
             update strata.migration set state = 'applied', applied_at = now();
             grant usage on schema strata to lender;
             grant usage on schema public to service;
             select strata.grant_operator('lender');
             select strata.grant_http('service')"
        ));
    }

    fn lend() {
        run("set local role lender; select strata.delegate_pack('p', 'service'); reset role");
    }

    fn as_service(sql: &str) -> String {
        run("set local role service");
        let answer = ask(sql);
        run("reset role");
        answer
    }

    fn service_is_refused(sql: &str) -> String {
        run("grant execute on function public.attempt to service; set local role service");
        let answer = refusal(sql);
        run("reset role");
        answer
    }

    #[pg_test]
    fn a_verification_is_executed_as_the_role_that_lent_the_pack() {
        lent();
        let who = "select expected || ' ' || actual from strata.verify('p')";
        assert!(as_service(who).starts_with("service "));
        lend();
        assert_eq!(as_service(who), "lender lent, public");
        assert_eq!(as_service("select current_user"), "service");
        assert_eq!(ask("select strata.withdraw_delegation('p', 'service')"), "true");
        assert_eq!(ask("select strata.withdraw_delegation('p', 'service')"), "false");
        assert!(as_service(who).starts_with("service "));
    }

    #[pg_test]
    fn a_run_is_asked_for_as_the_role_that_lent_the_pack() {
        lent();
        lend();
        run("update strata.migration set state = 'pending', applied_at = null");
        let id = as_service("select strata.start_run_once('k', 'p')");
        let asked = ask(&format!(
            "select requested_by || ' ' || (request ->> 'search_path') from strata.run where id = '{id}'"
        ));
        assert_eq!(asked, "lender lent, public");
        assert_eq!(as_service("select strata.start_run_once('k', 'p')"), id);
        assert_eq!(ask("select count(*) from strata.run"), "1");
    }

    #[pg_test]
    fn files_that_somebody_else_has_pushed_since_are_refused() {
        lent();
        lend();
        run("update strata.pack_file set pushed_by = 'service', pushed_at = clock_timestamp()");
        for ask in ["select strata.start_run('p')", "select strata.verify('p')"] {
            let told = service_is_refused(ask);
            assert!(told.starts_with("ST007 service has pushed files of pack \"p\" since lender"), "{told}");
        }
        lend();
        assert_eq!(as_service("select count(*) from strata.verify('p')"), "1", "looked at, and lent anew");
    }

    #[pg_test]
    fn a_role_lends_what_runs_as_itself_and_nothing_else() {
        lent();
        run("grant execute on function public.attempt to lender; set local role lender");
        let other =
            "insert into strata.delegation (pack, caller, runs_as) values ('p', 'service', 'postgres')";
        assert!(refusal(other).starts_with("42501 role lender cannot delegate what runs as postgres"));
        run("select strata.delegate_pack('p', 'service')");
        let raised = "update strata.delegation set runs_as = 'postgres'";
        assert!(refusal(raised).starts_with("42501 role lender"));
        assert!(refusal("select strata.delegate_pack('q', 'service')").starts_with("42704 pack \"q\""));
        run("reset role");
        assert!(service_is_refused("select strata.delegate_pack('p', 'service')").starts_with("42501"));
        assert!(service_is_refused("select strata.grant_http('service')").starts_with("42501"));
    }

    #[pg_test]
    fn a_key_means_one_request_and_has_a_length() {
        lent();
        as_service("select strata.start_run_once('k', 'p')");
        let other = service_is_refused("select strata.start_run_once('k', 'p', to_phase => 1)");
        assert!(other.starts_with("22023 key \"k\" was given to another request"), "{other}");
        for key in ["''", "repeat('k', 256)"] {
            let told = service_is_refused(&format!("select strata.start_run_once({key}, 'p')"));
            assert!(told.starts_with("22023 a request key has 1 to 255 characters"), "{told}");
        }
        assert!(service_is_refused("select strata.start_run_once('z', 'q')").starts_with("42704"));
        assert_eq!(ask("select count(*) from strata.request_key"), "1", "what was refused is not kept");
    }

    #[pg_test]
    fn a_key_is_forgotten_after_a_week() {
        lent();
        let first = as_service("select strata.start_run_once('k', 'p')");
        run("update strata.request_key set at = at - interval '8 days'");
        assert_ne!(as_service("select strata.start_run_once('k', 'p')"), first);
    }

    #[pg_test]
    fn without_a_key_the_session_decides_where_names_are_looked_for() {
        lent();
        run(
            "update strata.migration set state = 'pending', applied_at = null; alter role service set search_path = nowhere",
        );
        let id = as_service("select strata.start_run_once(null, 'p')");
        let path = ask(&format!("select request ->> 'search_path' from strata.run where id = '{id}'"));
        assert!(path.contains("public") && !path.contains("pg_temp"), "{path}");
    }
}
