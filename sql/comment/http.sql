-- Comments on what the HTTP door asks for.
comment on table strata.delegation is 'Who may have runs of a pack executed as the role that said so.';
comment on column strata.delegation.caller is 'Role that asks.';
comment on column strata.delegation.runs_as is 'Role that executes: the one that delegated.';
comment on column strata.delegation.delegated_at is 'Files that somebody else has pushed since are refused.';
comment on table strata.request_key is 'Requests for runs that may be delivered more than once, by their key.';
comment on column strata.request_key.asked is 'The request: what is repeated must be the same.';
comment on column strata.request_key.run is 'What it was answered.';
comment on column strata.request_key.trial is 'The same where it was a dry run.';
comment on function strata.dry_run_report(uuid) is 'Where a dry run is, and what it has found.';
comment on function strata.delegation_is_own() is 'Trigger: a role delegates what runs as itself, and nothing else.';
comment on function strata.delegate_pack(text, regrole) is
    'From now on runs of this pack that the caller asks for are executed as the current role.';
comment on function strata.withdraw_delegation(text, regrole) is 'Takes a delegation back; false: there was none.';
comment on function strata.recall_request(text, jsonb) is 'The run that was asked for under this key; null: none yet.';
comment on function strata.remember_request(text, jsonb, uuid) is 'Keeps the run that was asked for under this key.';
comment on function strata.start_run_once(text, text, bigint, int, jsonb, boolean) is
    'start_run for a request that may be delivered more than once: the same key is the same run.';
comment on function strata.grant_http(regrole) is 'Lets a role use what the HTTP door asks for on behalf of a service.';
comment on function strata.search_model(text[]) is 'The models that the sources, or those of these entity types, are searched by: what a text that is searched for is to be embedded with.';
comment on function strata.embedded_models() is 'The models that rows are embedded with: those of search_model, and those beside them while a model is changed.';
comment on function strata.jobs_left(text[]) is 'What the queue of embeddings holds of some models, in one row.';
comment on function strata.seconds_to_turn(text, bigint) is 'take_turn in seconds.';
comment on function strata.grant_embedding(regrole) is 'Lets a role drain the queue of embeddings.';
comment on function strata.open_stores(regrole) is 'Inner part of grant_embedding: lets a role write the stores that are there.';
comment on function strata.schedule_embedding(text, text, text) is
    'Has the Edge Function drain the queue of embeddings, by pg_cron and pg_net, with a key out of Vault.';
comment on function strata.unschedule_embedding() is 'Takes the job of schedule_embedding away; false: there was none.';
comment on function strata.ask_for_embedding(text, text) is
    'Asks the Edge Function to drain the queue, where there is something to do; the number of the request.';
comment on function strata.has_ripe_jobs(text[]) is 'Whether a job of these providers could be claimed now.';
comment on function strata.require_schedule() is 'Refuses a database without pg_cron, pg_net or Vault.';
comment on function strata.vault_secret(text) is 'A secret of Vault, as the caller may see it.';
