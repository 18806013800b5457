-- config_dump: pg_dump carries the rows of our tables; without it a restored database would have forgotten them.
do $$
declare
    kept oid;
begin
    for kept in
        select c.oid from pg_catalog.pg_class c
        where c.relnamespace = 'strata'::pg_catalog.regnamespace and c.relkind in ('r', 'S')
        order by c.oid
    loop
        perform pg_catalog.pg_extension_config_dump(kept, '');
    end loop;
end
$$;
