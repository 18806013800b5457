-- Comments on what the HTTP door asks for.
comment on table strata.delegation is 'Who may have runs of a pack executed as the role that said so.';
comment on column strata.delegation.caller is 'Role that asks.';
comment on column strata.delegation.runs_as is 'Role that executes: the one that delegated.';
comment on column strata.delegation.delegated_at is 'Files that somebody else has pushed since are refused.';
comment on table strata.request_key is 'Requests for runs that may be delivered more than once, by their key.';
comment on column strata.request_key.asked is 'The request: what is repeated must be the same.';
comment on column strata.request_key.run is 'What it was answered.';
comment on function strata.delegation_is_own() is 'Trigger: a role delegates what runs as itself, and nothing else.';
comment on function strata.delegate_pack(text, regrole) is
    'From now on runs of this pack that the caller asks for are executed as the current role.';
comment on function strata.withdraw_delegation(text, regrole) is 'Takes a delegation back; false: there was none.';
comment on function strata.recall_request(text, jsonb) is 'The run that was asked for under this key; null: none yet.';
comment on function strata.remember_request(text, jsonb, uuid) is 'Keeps the run that was asked for under this key.';
comment on function strata.start_run_once(text, text, bigint, int, jsonb) is
    'start_run for a request that may be delivered more than once: the same key is the same run.';
comment on function strata.grant_http(regrole) is 'Lets a role use what the HTTP door asks for on behalf of a service.';
comment on function strata.search_model() is 'The models whose vectors the sources have: what a text that is searched for is to be embedded with.';
