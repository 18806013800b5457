-- 004 add what the application measures while somebody works on a task.
--
-- Why: planned and real effort can be compared only if the real one is recorded.
-- Done otherwise than in the document: the constraints can be added twice without an error, and are added without looking
-- at the rows and validated in a transaction of their own, so that nobody waits for a scan; context_switches is checked
-- like the others, and a task cannot end before it starts. Durations are in minutes. The counters are not null.

select strata_aurum.expect_columns(4, 'public.tasks', jsonb_build_object(
    'actual_duration', 'integer', 'actual_start_time', 'timestamp with time zone',
    'actual_end_time', 'timestamp with time zone', 'focus_time_minutes', 'integer',
    'interruption_count', 'integer', 'context_switches', 'integer'));
alter table public.tasks
    add column if not exists actual_duration integer,
    add column if not exists actual_start_time timestamptz,
    add column if not exists actual_end_time timestamptz,
    add column if not exists focus_time_minutes integer not null default 0,
    add column if not exists interruption_count integer not null default 0,
    add column if not exists context_switches integer not null default 0;
select strata_aurum.note_constraint(4, 'public.tasks', c.name)
from (values ('chk_actual_duration'), ('chk_focus_time'), ('chk_interruptions'), ('chk_context_switches'),
             ('chk_actual_times')) c (name);
alter table public.tasks
    drop constraint if exists chk_actual_duration,
    add constraint chk_actual_duration check (actual_duration >= 0) not valid,
    drop constraint if exists chk_focus_time,
    add constraint chk_focus_time check (focus_time_minutes >= 0) not valid,
    drop constraint if exists chk_interruptions,
    add constraint chk_interruptions check (interruption_count >= 0) not valid,
    drop constraint if exists chk_context_switches,
    add constraint chk_context_switches check (context_switches >= 0) not valid,
    drop constraint if exists chk_actual_times,
    add constraint chk_actual_times check (actual_end_time >= actual_start_time) not valid;
select strata_aurum.bring_back(4, 'public.tasks');

-- strata: new transaction
alter table public.tasks
    validate constraint chk_actual_duration,
    validate constraint chk_focus_time,
    validate constraint chk_interruptions,
    validate constraint chk_context_switches,
    validate constraint chk_actual_times;
