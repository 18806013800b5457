-- as_jsonb: a json as jsonb; one that does not fit into a jsonb, such as a text with \u0000 or half of a surrogate pair,
-- as a jsonb string of what is written there. One such row must not fail a search over all of them.
-- Before PostgreSQL 16 only a subtransaction can find out.
do $install$
begin
    if current_setting('server_version_num')::int >= 160000 then
        create function strata.as_jsonb(value json) returns jsonb
        language sql stable strict parallel safe set search_path = pg_catalog, pg_temp as $$
            select case when pg_input_is_valid(value::text, 'jsonb') then value::text::jsonb else to_jsonb(value::text) end
        $$;
    else
        create function strata.as_jsonb(value json) returns jsonb
        language plpgsql stable strict parallel unsafe set search_path = pg_catalog, pg_temp as $$
        begin
            return value::text::jsonb;
        exception when data_exception then
            return to_jsonb(value::text);
        end
        $$;
    end if;
end
$install$;
