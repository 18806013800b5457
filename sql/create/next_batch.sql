-- next_batch: how many rows the next batch should have, after one of `size` rows that took `took` of the `target` seconds.
-- Half of the way towards the target, in proportion, and never more than twice as many; half as many after one that took
-- twice the target. A batch has 1 to 100000 rows; without a target it keeps its size.
create function strata.next_batch(size int, took float8, target float8) returns int
language sql immutable set search_path = pg_catalog, pg_temp as $$
    select case when $3 is null then $1
                else greatest(1, least(100000, case
                    when $2 > 2 * $3 then $1 / 2
                    else ceil($1 * least(2, sqrt($3 / greatest($2, 0.0001))))::int
                end)) end
$$;
revoke execute on function strata.next_batch(int, float8, float8) from public;
