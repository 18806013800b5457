-- checklist_items: what must hold before each phase of a pack, in order, and before what a contract kept is thrown away
-- (item `finalize`, of no phase). `checksum`: of the statement and of the files that it is about.
create function strata.checklist_items(pack text)
returns table (item text, phase int, phase_name text, kind text, statement text, checksum text)
language sql stable set search_path = pg_catalog, pg_temp as $$
    with phases as (
        select (e.phase ->> 'number')::int as number, e.phase ->> 'name' as name, e.phase
        from strata.pack p, jsonb_array_elements(p.manifest -> 'phases') e(phase)
        where p.name = $1
    ), wanted as (
        select f.number, f.name, n.position, n.word,
               case n.word when 'embedded' then 'gate' when 'verified' then 'verification'
                           when 'backup_restored' then 'backup' else 'sign-off' end as kind,
               case n.word when 'embedded' then 'every row of every source has its embedding'
                           when 'verified' then 'the verification of everything applied so far passes'
                           when 'backup_restored' then 'a backup was restored and its data looked at'
                           else format('phase %s (%s) may start', f.number, f.name) end as statement
        from phases f, jsonb_array_elements_text(coalesce(f.phase -> 'needs', '[]')) with ordinality n(word, position)
        union all
        select f.number, f.name, 100 + s.position, s.word, 'sign-off', s.statement
        from phases f, jsonb_each_text(coalesce(f.phase -> 'sign', '{}')) with ordinality s(word, statement, position)
    ), items as (
        select w.number || '.' || w.word as item, w.number, w.name, w.position, w.kind, w.statement,
               strata.phase_files($1, w.number) as files
        from wanted w
        union all
        select 'finalize', null, null, 0, 'sign-off', 'the copies that the contract kept are not needed any more',
               string_agg(strata.phase_files($1, f.number), e'\n' order by f.number)
        from phases f
        where (f.phase ->> 'contract')::boolean
        having count(*) > 0
    )
    select i.item, i.number, i.name, i.kind, i.statement,
           encode(sha256(convert_to(i.statement || e'\n' || i.files, 'UTF8')), 'hex')
    from items i
    order by i.number nulls last, i.position
$$;
revoke execute on function strata.checklist_items(text) from public;
