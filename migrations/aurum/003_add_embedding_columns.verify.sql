-- 003 verify: every column with its whole type, dimension included; checks and foreign keys validated; sources registered.
with wanted_columns (relation, name, type) as (
    values ('journal_entries', 'content_embedding', 'vector(${embedding_dimensions})'),
           ('journal_entries', 'title_embedding', 'vector(${embedding_dimensions})'),
           ('journal_entries', 'embedding_model', 'text'),
           ('journal_entries', 'embedding_updated_at', 'timestamp with time zone'),
           ('tasks', 'description_embedding', 'vector(${embedding_dimensions})'),
           ('tasks', 'name_embedding', 'vector(${embedding_dimensions})'),
           ('tasks', 'embedding_model', 'text'),
           ('tasks', 'embedding_updated_at', 'timestamp with time zone'),
           ('tasks', 'area_id', 'uuid'),
           ('tasks', 'pillar_id', 'uuid'),
           ('tasks', 'hrm_priority_score', 'double precision'),
           ('tasks', 'hrm_alignment_score', 'double precision'),
           ('tasks', 'hrm_priority_is_default', 'boolean'),
           ('tasks', 'hrm_alignment_is_default', 'boolean')
), wanted_constraints (relation, name, definition) as (
    values ('journal_entries', 'chk_journal_embedding_model',
            'CHECK ((((content_embedding IS NULL) AND (title_embedding IS NULL)) = (embedding_model IS NULL)))'),
           ('tasks', 'chk_task_embedding_model',
            'CHECK ((((description_embedding IS NULL) AND (name_embedding IS NULL)) = (embedding_model IS NULL)))'),
           ('tasks', 'chk_task_hrm_scores',
            'CHECK (((hrm_priority_score >= (0)::double precision) AND (hrm_priority_score <= (1)::double precision) '
            'AND (hrm_alignment_score >= (0)::double precision) AND (hrm_alignment_score <= (1)::double precision)))'),
           ('tasks', 'tasks_area_id_fkey', 'FOREIGN KEY (area_id) REFERENCES areas(id) ON DELETE SET NULL'),
           ('tasks', 'tasks_pillar_id_fkey', 'FOREIGN KEY (pillar_id) REFERENCES pillars(id) ON DELETE SET NULL')
), checks (check_name, expected, actual) as (
    select format('type of %s.%s', w.relation, w.name), w.type, regexp_replace(format_type(a.atttypid, a.atttypmod), '^.*\.', '')
    from wanted_columns w
    left join pg_catalog.pg_attribute a
        on a.attrelid = to_regclass('public.' || w.relation) and a.attname = w.name and not a.attisdropped
    union all
    select format('default of %s.embedding_model', w.relation), 'none', case when a.atthasdef then 'a default' else 'none' end
    from (values ('journal_entries'), ('tasks')) w (relation)
    left join pg_catalog.pg_attribute a on a.attrelid = to_regclass('public.' || w.relation) and a.attname = 'embedding_model'
    union all
    select format('constraint %s on %s', w.name, w.relation), w.definition,
           replace(pg_get_constraintdef(c.oid), 'public.', '')
    from wanted_constraints w
    left join pg_catalog.pg_constraint c on c.conrelid = to_regclass('public.' || w.relation) and c.conname = w.name
    union all
    select 'model', format('%s, %s dimensions', ${embedding_provider}, ${embedding_dimensions}),
           (select format('%s, %s dimensions', m.provider, m.dimensions) from strata.model m where m.name = ${embedding_model})
    union all
    select 'source ' || w.entity_type, w.columns,
           (select format('%s.%s %s', s.relation_name, s.vector_column, s.model) from strata.source s
            where s.entity_type = w.entity_type)
    from (values ('journal_entry', format('journal_entries.content_embedding %s', ${embedding_model})),
                 ('task', format('tasks.description_embedding %s', ${embedding_model})),
                 ('insight', format('insights.embedding %s', ${embedding_model}))) w (entity_type, columns)
    union all
    select 'jobs of a change in ' || w.entity_type, 'insert, update, delete, truncate',
           case when count(t.oid) = 4 then 'insert, update, delete, truncate' else count(t.oid) || ' triggers' end
    from (values ('journal_entry', 'journal_entries'), ('task', 'tasks'), ('insight', 'insights')) w (entity_type, relation)
    left join pg_catalog.pg_trigger t
        on t.tgrelid = to_regclass('public.' || w.relation) and t.tgname like 'strata\_%\_' || w.entity_type and t.tgenabled = 'O'
    group by w.entity_type
)
select check_name, expected, actual, coalesce(expected = actual, false) as ok from checks;
