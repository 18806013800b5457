-- lock_missing: the keys of the next rows of a source, in their order, that have no vector, or that are wanted (a condition on `r`), locked
-- against writers; null: none is left.
-- A writer who holds a row may be about to queue it, and may be waiting for another that we have locked: so the first row
-- is waited for while nothing is held, for as long as the lock_timeout of who calls, and the page ends before the next one that somebody holds.
create function strata.lock_missing(s strata.source, after text, max int, wanted text default null) returns text[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    missing text := format('%I.%I r where %s', s.relation_schema, s.relation_name, coalesce(wanted, strata.vectorless(s, 'r')));
    page    text[];
    held    text[];
    first   text;
begin
    loop
        execute format('select array_agg(p.id::text order by p.id) from (
                            select r.%1$I as id from %2$s and ($1 is null or r.%1$I > $1::%3$s) order by r.%1$I limit $2) p',
                       s.key_column, missing, s.key_type)
            into page using after, max;
        begin
            execute format('select r.%1$I from %2$s and r.%1$I = $1::%3$s for no key update', s.key_column, missing, s.key_type)
                into first using page[1];
        exception when lock_not_available then
            raise exception 'source "%": somebody holds row %', s.entity_type, page[1]
                using errcode = '55P03', hint = '"strata locks" shows who; try again when that transaction has ended';
        end;
        exit when page is null or first is not null;
    end loop;
    execute format('select array_agg(l.id) from (
                        select r.%1$I::text as id from %2$s and r.%1$I = any ($1::%3$s[]) for no key update skip locked) l',
                   s.key_column, missing, s.key_type)
        into held using page;
    return page[1:coalesce((select min(p.n) - 1 from unnest(page) with ordinality p(id, n)
                            left join unnest(held) h(id) on h.id = p.id where h.id is null), cardinality(page))];
end
$$;
revoke execute on function strata.lock_missing from public;
