-- expansion: columns that stand in for others: both are written until the old one goes. `up` computes the new value from
-- the old column, `down` the old value from the new one.
create table strata.expansion (
    relation     text        not null,
    old_column   text        not null,
    new_column   text        not null,
    type         text        not null,
    up           text        not null,
    down         text        not null,
    new_default  text,
    key          text        not null,
    state        text        not null check (state in ('expanded', 'filled', 'contracting', 'contracted', 'reverting')),
    made_at      timestamptz not null default clock_timestamp(),
    changed_at   timestamptz not null default clock_timestamp(),
    primary key (relation, new_column)
);
