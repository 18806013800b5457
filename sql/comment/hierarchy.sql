-- hierarchy: what keeps hierarchy_view current, as \d+ and \df+ show it.
comment on table strata.hierarchy_change is 'What has changed in the hierarchy since its last refresh. Append-only for writers.';
comment on column strata.hierarchy_change.relation_schema is 'The schema of the tables; each has its own hierarchy.';
comment on column strata.hierarchy_change.id is 'Null: all of the kind.';
comment on function strata.mark_hierarchy_change() is 'Trigger function of tasks, projects, areas and pillars: marks what has changed.';
comment on function strata.refresh_hierarchy_view(text) is
    'Brings hierarchy_view up to date with what has been marked; answers how many of its rows were written or removed.';
comment on function strata.hierarchy_statement(text) is 'Inner part of refresh_hierarchy_view: its statements.';
