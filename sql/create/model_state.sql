-- model_state: how the provider of a model is doing, as all workers have found together. failures: calls in a row that
-- failed; nobody claims jobs of the model before paused_until. requests_free_at, tokens_free_at: when what was asked so
-- far is paid off at the rate of the limits.
create table strata.model_state (
    model            text        primary key references strata.model on delete cascade,
    failures         int         not null default 0 check (failures >= 0),
    paused_until     timestamptz,
    error            text,
    succeeded_at     timestamptz,
    requests_free_at timestamptz not null default '-infinity',
    tokens_free_at   timestamptz not null default '-infinity'
) with (fillfactor = 50);
