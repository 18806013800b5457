-- 004 verify: the six columns with their types and defaults; the five checks, on tasks, validated.
with wanted_columns (name, type) as (
    values ('actual_duration', 'integer, no default'),
           ('actual_start_time', 'timestamp with time zone, no default'),
           ('actual_end_time', 'timestamp with time zone, no default'),
           ('focus_time_minutes', 'integer, default 0'),
           ('interruption_count', 'integer, default 0'),
           ('context_switches', 'integer, default 0')
), wanted_checks (name, definition) as (
    values ('chk_actual_duration', 'CHECK ((actual_duration >= 0))'),
           ('chk_focus_time', 'CHECK ((focus_time_minutes >= 0))'),
           ('chk_interruptions', 'CHECK ((interruption_count >= 0))'),
           ('chk_context_switches', 'CHECK ((context_switches >= 0))'),
           ('chk_actual_times', 'CHECK ((actual_end_time >= actual_start_time))')
), checks (check_name, expected, actual) as (
    select 'column ' || w.name, w.type,
           concat_ws(', ', format_type(a.atttypid, a.atttypmod), coalesce('default ' || pg_get_expr(d.adbin, d.adrelid), 'no default'))
    from wanted_columns w
    left join pg_catalog.pg_attribute a
        on a.attrelid = to_regclass('public.tasks') and a.attname = w.name and not a.attisdropped
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    union all
    select 'constraint ' || w.name, w.definition, pg_get_constraintdef(c.oid)
    from wanted_checks w
    left join pg_catalog.pg_constraint c on c.conrelid = to_regclass('public.tasks') and c.conname = w.name
)
select check_name, expected, actual, coalesce(expected = actual, false) as ok from checks;
