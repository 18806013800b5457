-- require_vector_column: refuses a column that cannot hold the vectors of a model. Raises 42703 (absent), 42804 (not of
-- pgvector's type vector), 22000 (another dimension than the model's, or none), 42704 (no such model).
create function strata.require_vector_column(relation regclass, column_name text, model text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    wanted int := (select m.dimensions from strata.model m where m.name = model);
    has    int;
    is_vector boolean;
begin
    if wanted is null then
        raise exception 'model "%" does not exist', coalesce(model, 'null')
            using errcode = '42704', hint = 'call strata.add_model first';
    end if;
    perform strata.require_column(relation, column_name, 'any');
    select a.atttypmod, t.typname = 'vector' and n.nspname = strata.vector_schema() into has, is_vector
    from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_namespace n on n.oid = t.typnamespace
    where a.attrelid = relation and a.attname = column_name and a.attnum > 0 and not a.attisdropped;
    if is_vector is not true then
        raise exception 'column "%" of relation % must be of type vector(%)', coalesce(column_name, 'null'), relation, wanted
            using errcode = '42804';
    elsif has <> wanted then
        raise exception 'expected % dimensions, not %', wanted, case has when -1 then 'any' else has::text end
            using errcode = '22000',
                  detail = format('model "%s" answers with %s dimensions, column "%s" of relation %s is declared with %s',
                                  model, wanted, column_name, relation, case has when -1 then 'none' else has::text end),
                  hint = format('declare the column as vector(%s), or register a model that fits', wanted);
    end if;
end
$$;
revoke execute on function strata.require_vector_column from public;
