-- Scales the people of data.sql to any size: as many tasks as the setting aurum.tasks says (10000 unless it is set), a
-- journal entry for every eight of them, a user for every two hundred. Load data.sql first: the texts are built from its.
--
--   PGOPTIONS='-c aurum.tasks=1000000' psql --file migrations/aurum/app/generate.sql
--
-- Deterministic: the same number makes the same rows, ids included; only the dates count back from aurum.today, as in
-- data.sql. Users are unequal, as people are: the r-th user has about 1/r of what the first has. A run that was broken
-- off can be repeated, and a larger number adds to a smaller one. On the way there are NULL and empty descriptions, tasks
-- without a project, deleted entries with and without a date, and, before version 006 forbids them, old statuses.
-- No psql commands in here, so any client can send it.

do $$
begin
    if not exists (select from public.tasks) or not exists (select from public.journal_entries) then
        raise exception 'the application has no texts to build from' using hint = 'load data.sql first';
    end if;
end
$$;

-- Numbers that look random and are the same every time: of i and a seed, from 0 up to below 1.
create or replace function pg_temp.chance(i bigint, seed bigint) returns float8
language sql immutable parallel safe as $$
    select (pg_catalog.hashint8extended(i, seed) & 4294967295) / 4294967296.0::float8
$$;

create temporary table if not exists size as
select v.tasks, greatest(v.tasks / 8, 1) as entries, greatest(v.tasks / 200, 3) as users,
       coalesce(nullif(current_setting('aurum.today', true), '')::date, current_date) as today
from (select coalesce(nullif(current_setting('aurum.tasks', true), '')::bigint, 10000) as tasks) v;

insert into auth.users (id, email, created_at)
select md5('user ' || r)::uuid, format('user-%s@aurum.example', r), z.today - (700 + r % 60) * interval '1 day'
from size z, generate_series(1, z.users) r
on conflict do nothing;

-- Everybody has four pillars, eight areas, twelve projects; the names are taken from the people of data.sql in turn.
with name as (
    select p.name, p.description, row_number() over (order by p.id) - 1 as n, count(*) over () as names
    from public.pillars p join auth.users u on u.id = p.user_id where u.email !~ '^user-\d'
)
insert into public.pillars (id, user_id, name, description, sort_order, created_at, updated_at)
select md5(format('pillar %s %s', r, k))::uuid, md5('user ' || r)::uuid, n.name, n.description, k, z.today - interval '700 days',
       z.today - interval '700 days'
from size z, generate_series(1, z.users) r, generate_series(1, 4) k
join name n on true where n.n = (r * 4 + k) % n.names
on conflict do nothing;

with name as (
    select a.name, a.description, row_number() over (order by a.id) - 1 as n, count(*) over () as names
    from public.areas a join auth.users u on u.id = a.user_id where u.email !~ '^user-\d'
)
insert into public.areas (id, user_id, pillar_id, name, description, created_at, updated_at)
select md5(format('area %s %s', r, k))::uuid, md5('user ' || r)::uuid,
       case when pg_temp.chance(r, k) > 0.05 then md5(format('pillar %s %s', r, (k + 1) / 2))::uuid end,
       n.name, n.description, z.today - interval '690 days', z.today - interval '690 days'
from size z, generate_series(1, z.users) r, generate_series(1, 8) k
join name n on true where n.n = (r * 8 + k) % n.names
on conflict do nothing;

with name as (
    select p.name, p.description, row_number() over (order by p.id) - 1 as n, count(*) over () as names
    from public.projects p join auth.users u on u.id = p.user_id where u.email !~ '^user-\d'
)
insert into public.projects (id, user_id, area_id, name, description, status, priority, due_date, created_at, updated_at)
select md5(format('project %s %s', r, k))::uuid, md5('user ' || r)::uuid,
       case when c.c > 0.05 then md5(format('area %s %s', r, k % 8 + 1))::uuid end, n.name, n.description,
       (array['not_started', 'in_progress', 'in_progress', 'completed', 'on_hold', 'cancelled'])[1 + floor(c.c * 6)::int],
       (array['low', 'medium', 'high', 'urgent'])[1 + floor(c.c * 17)::int % 4],
       case when c.c < 0.7 then z.today + floor(c.c * 365)::int end,
       z.today - interval '680 days', z.today - interval '30 days'
from size z, generate_series(1, z.users) r, generate_series(1, 12) k
cross join lateral (select pg_temp.chance(r, 100 + k) as c) c
join name n on true where n.n = (r * 12 + k) % n.names
on conflict do nothing;

-- The name of one task and up to two sentences from the descriptions of others: millions of combinations.
with name as materialized (
    select t.name, row_number() over (order by t.id) - 1 as n
    from public.tasks t join auth.users u on u.id = t.user_id where u.email !~ '^user-\d'
), sentence as materialized (
    select s.text, row_number() over (order by t.id, s.place) - 1 as n
    from public.tasks t join auth.users u on u.id = t.user_id
    cross join lateral regexp_split_to_table(t.description, '(?<=[.!?]) ') with ordinality s (text, place)
    where u.email !~ '^user-\d' and t.description <> ''
), total as materialized (
    select (select count(*) from name) as names, (select count(*) from sentence) as sentences
), closed as materialized (
    select exists (select from pg_catalog.pg_constraint c
                   where c.conrelid = 'public.tasks'::regclass and c.conname = 'chk_task_status') as to_old_words
), drawn as (
    select i, z.today, floor(exp(pg_temp.chance(i, 1) * ln(z.users + 1)))::bigint as r,
           floor(12 * power(pg_temp.chance(i, 2), 2))::int + 1 as k,
           floor(pg_temp.chance(i, 3) * t.names)::bigint as named,
           floor(pg_temp.chance(i, 4) * t.sentences)::bigint as first,
           floor(pg_temp.chance(i, 8) * t.sentences)::bigint as second,
           pg_temp.chance(i, 5) as fate, pg_temp.chance(i, 6) as age, pg_temp.chance(i, 7) as rest
    from size z, total t, generate_series(1, z.tasks) i
)
insert into public.tasks (id, user_id, project_id, name, description, status, priority, due_date, completed_at, created_at, updated_at)
select md5('task ' || d.i)::uuid, md5('user ' || d.r)::uuid,
       case when d.rest > 0.08 then md5(format('project %s %s', d.r, d.k))::uuid end,
       n.name,
       case when d.rest < 0.06 then null when d.rest > 0.97 then ''
            else concat_ws(' ', a.text, case when d.age > 0.3 then b.text end) end,
       s.status, (array['low', 'medium', 'medium', 'high', 'urgent'])[1 + floor(d.rest * 5)::int],
       case when d.fate < 0.6 then d.today + floor(d.rest * 200 - 60)::int end,
       case when s.status in ('completed', 'done') then d.today - d.age * d.age * interval '300 days' end,
       d.today - d.age * interval '650 days', d.today - d.age * d.age * interval '300 days'
from drawn d
cross join closed c
cross join lateral (select case
    when d.fate < 0.01 and not c.to_old_words then 'open' when d.fate < 0.02 and not c.to_old_words then 'done'
    when d.fate < 0.35 then 'todo' when d.fate < 0.50 then 'in_progress' when d.fate < 0.55 then 'review'
    when d.fate < 0.95 then 'completed' else 'cancelled' end as status) s
join name n on n.n = d.named
join sentence a on a.n = d.first
join sentence b on b.n = d.second
on conflict do nothing;

-- The title of one entry and two to four sentences of others.
with title as materialized (
    select j.title, j.mood, row_number() over (order by j.id) - 1 as n
    from public.journal_entries j join auth.users u on u.id = j.user_id where u.email !~ '^user-\d'
), sentence as materialized (
    select s.text, row_number() over (order by j.id, s.place) - 1 as n
    from public.journal_entries j join auth.users u on u.id = j.user_id
    cross join lateral regexp_split_to_table(j.content, '(?<=[.!?]) ') with ordinality s (text, place)
    where u.email !~ '^user-\d'
), total as materialized (
    select (select count(*) from title) as titles, (select count(*) from sentence) as sentences
), drawn as (
    select i, z.today, floor(exp(pg_temp.chance(i, 11) * ln(z.users + 1)))::bigint as r,
           floor(pg_temp.chance(i, 12) * t.titles)::bigint as titled,
           floor(pg_temp.chance(i, 13) * t.sentences)::bigint as first,
           floor(pg_temp.chance(i, 16) * t.sentences)::bigint as second,
           floor(pg_temp.chance(i, 17) * t.sentences)::bigint as third,
           floor(pg_temp.chance(i, 18) * t.sentences)::bigint as fourth,
           pg_temp.chance(i, 14) as fate, pg_temp.chance(i, 15) as age
    from size z, total t, generate_series(1, z.entries) i
), written as (
    select d.*, (d.today - 1 - floor(d.age * 650)::int + floor(d.fate * 86400) * interval '1 second') at time zone 'UTC' as at
    from drawn d
)
insert into public.journal_entries
    (id, user_id, title, content, mood, template_type, deleted, deleted_at, created_at, updated_at)
select md5('entry ' || w.i)::uuid, md5('user ' || w.r)::uuid, case when w.fate > 0.2 then n.title end,
       concat_ws(' ', a.text, b.text, case when w.age > 0.3 then c.text end, case when w.age > 0.6 then d.text end), n.mood,
       case when w.fate < 0.25 then 'daily_reflection' when w.fate < 0.3 then 'gratitude' end,
       case when w.fate > 0.97 then true when w.fate > 0.95 then null else false end,
       case when w.fate > 0.985 then w.at + interval '3 days' end, w.at, w.at + interval '5 minutes'
from written w
join title n on n.n = w.titled
join sentence a on a.n = w.first
join sentence b on b.n = w.second
join sentence c on c.n = w.third
join sentence d on d.n = w.fourth
on conflict do nothing;

drop table size;
drop function pg_temp.chance(bigint, bigint);
analyze auth.users, public.pillars, public.areas, public.projects, public.tasks, public.journal_entries;
