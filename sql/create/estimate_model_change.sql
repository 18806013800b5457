-- estimate_model_change: what it would take to embed every source of a model with another one: rows with a text, tokens,
-- and their price where price_per_million (tokens) says what the provider takes. A token for each three bytes, as workers
-- count them for limits and budgets; what the model would cut is not counted, unless texts are embedded in parts. Of a table of
-- more than 200,000 rows a sample is read. Raises 22004, 42704 (no such model, no source uses it), 22023 (a price below 0).
create function strata.estimate_model_change(from_model text, to_model text, price_per_million numeric default null)
returns table (entity_type text, rows bigint, tokens bigint, price numeric, sampled boolean)
language plpgsql set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    m        strata.model;
    s        strata.source;
    expected bigint;
    share    float8;
begin
    perform strata.require_changeable(from_model, to_model, '{}', null);
    if price_per_million < 0 then
        raise exception 'price_per_million must not be negative, not %', price_per_million using errcode = '22023';
    end if;
    select * into m from strata.model x where x.name = to_model;
    for s in select * from strata.source x where x.model = from_model order by x.entity_type loop
        expected := strata.estimated_rows(to_regclass(format('%I.%I', s.relation_schema, s.relation_name)));
        share := case when expected > 200000 then 100000.0 / expected else 1 end;
        return query execute format(
            'select $1, (count(*) / $2)::bigint, (coalesce(sum(t.tokens), 0) / $2)::bigint,
                    round((coalesce(sum(t.tokens), 0) / $2)::numeric * $3 / 1000000, 4), $2 < 1
             from (select least(octet_length(%s) / 3 + 1, $4) as tokens, %1$s as text from %I.%I r %s) t where t.text <> ''''',
            strata.text_expression(s.title_column, s.content_columns, 'r'), s.relation_schema, s.relation_name,
            case when share < 1 then format('tablesample system (%s)', 100 * share) else '' end)
            using s.entity_type, share, price_per_million, case when s.chunk_tokens is null then m.max_tokens end;
    end loop;
end
$$;
revoke execute on function strata.estimate_model_change from public;
