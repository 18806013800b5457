-- 001 down: removes pgvector if version 001 brought it, and the books of the pack.
--
-- Never cascades: a cascade would take every embedding column and every function that reads one. Where objects of the
-- application have come to depend on pgvector it refuses and lists them. It stays where it was before, and where strata
-- itself needs it. What people wrote into removed columns and tables is in strata_aurum.kept: while there is any, the
-- books are not thrown away either.

do $$
declare
    needed text;
    saved  bigint;
begin
    if to_regclass('strata_aurum.made') is null then
        return;
    end if;
    if to_regprocedure('strata_aurum.vector_dependants()') is not null then
        select string_agg(v.name, ', ' order by v.name) into needed
        from strata_aurum.vector_dependants() v
        where v.schema is distinct from 'strata' and not exists (select from strata_aurum.made m where m.version = 1 and m.kind = 'dependant' and m.name = v.name);
    end if;
    if needed is not null then
        raise exception 'extension vector is in use' using errcode = '2BP01', detail = 'in use by: ' || needed,
            hint = 'drop or change those objects first; nothing is cascaded to';
    end if;
    select count(*) into saved from strata_aurum.kept;
    if saved > 0 then
        raise exception 'strata_aurum.kept holds % rows that people wrote', saved using errcode = '55000',
            hint = 'go up again to bring them back, or copy them away and truncate strata_aurum.kept';
    end if;
    if exists (select from strata_aurum.made m where m.version = 1 and m.kind = 'extension') then
        if exists (select from pg_catalog.pg_depend d join pg_catalog.pg_extension v on v.oid = d.refobjid
                   where d.classid = 'pg_catalog.pg_extension'::regclass and d.refclassid = d.classid
                     and v.extname = 'vector')
           or exists (select from strata_aurum.vector_dependants() v where v.schema = 'strata') then
            raise notice 'extension vector stays: another extension, or strata, requires it';
        else
            drop extension if exists vector;
        end if;
    end if;
end
$$;

drop function if exists strata_aurum.vector_dependants(), strata_aurum.keep_updated_at(), strata_aurum.settle(int),
    strata_aurum.undo(int, text), strata_aurum.bring_back(int, regclass), strata_aurum.keep(int, regclass, text[]), strata_aurum.retire_indexes(int),
    strata_aurum.note_index(int, regclass, text, text), strata_aurum.index_definition(regclass), strata_aurum.note_constraint(int, regclass, text),
    strata_aurum.expect_columns(int, regclass, jsonb), strata_aurum.vector_schema(), strata_aurum.full_name(regclass);
drop table if exists strata_aurum.kept, strata_aurum.made;
drop schema if exists strata_aurum;
