-- require_expandable: refuses a table or a column that no other can stand in for, and expressions whose value could change
-- between two writes. Raises 42809 (not a table, a partition), 42703, 42701 (a column), 0A000 (a generated or identity
-- column, one of the key), 22023 (a name), 42P10 (no primary key), 42P17 (an
-- expression that is not immutable), and what a wrong type or expression raises.
create function strata.require_expandable(e strata.expansion) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    t regclass := e.relation::regclass;
    c record;
begin
    if not exists (select from pg_class r where r.oid = t and r.relkind in ('r', 'p') and not r.relispartition) then
        raise exception '% is not a table of its own', t
            using errcode = '42809', hint = 'name the table, or the partitioned table that it belongs to';
    end if;
    select a.attnum, a.attidentity, a.attgenerated, format_type(a.atttypid, a.atttypmod) as type into c
    from pg_attribute a where a.attrelid = t and a.attname = e.old_column and a.attnum > 0 and not a.attisdropped;
    if c.attnum is null then
        raise exception 'column "%" of relation % does not exist', e.old_column, t using errcode = '42703';
    elsif c.attgenerated <> '' or c.attidentity <> '' then
        raise exception 'column "%" of relation % is %, so nobody can write it', e.old_column, t,
            case when c.attgenerated <> '' then 'generated' else 'an identity' end using errcode = '0A000';
    elsif e.old_column = any (string_to_array(e.key, ', ')) then
        raise exception 'column "%" of relation % is part of the primary key', e.old_column, t using errcode = '0A000';
    elsif e.new_column in ('new', 'old', 'filling', 'agreed') or e.old_column in ('new', 'old', 'filling', 'agreed')
          or e.new_column = e.old_column then
        raise exception 'columns "%" and "%" cannot be written together', e.old_column, e.new_column
            using errcode = '22023', hint = 'choose another name';
    elsif exists (select from pg_attribute a where a.attrelid = t and a.attname = e.new_column and not a.attisdropped) then
        raise exception 'column "%" of relation % exists already', e.new_column, t using errcode = '42701';
    end if;
    -- What is not immutable cannot be the expression of a generated column.
    perform set_config('search_path', format('pg_catalog, %I, pg_temp', (select n.nspname from pg_class r join pg_namespace n on n.oid = r.relnamespace where r.oid = t)), true);
    execute format('create temporary table strata_check (%1$I %2$s, %3$I %4$s generated always as (%5$s) stored)',
                   e.old_column, c.type, e.new_column, e.type, e.up);
    execute format('drop table strata_check; create temporary table strata_check (%3$I %4$s, %1$I %2$s generated always as (%5$s) stored)',
                   e.old_column, c.type, e.new_column, e.type, e.down);
    execute format('select null::%s is distinct from null, null::%s is distinct from null', c.type, e.type);
    drop table strata_check;
end
$$;
revoke execute on function strata.require_expandable(strata.expansion) from public;
