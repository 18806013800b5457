-- add_model: makes an embedding model known. dimensions: 1 to 16000; max_tokens: null where it is not known.
-- Raises 22004 (a null), 22023 (a value that cannot be), 42710 (the model is known already).
create function strata.add_model(name text, provider text, dimensions int, max_tokens int default null) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if name is null or provider is null or dimensions is null then
        raise exception 'a model needs a name, a provider and its dimensions' using errcode = '22004';
    elsif name = '' then
        raise exception 'the name of a model must not be empty' using errcode = '22023';
    elsif provider not in ('local', 'openai', 'ollama', 'supabase') then
        raise exception 'provider "%" is not known', provider
            using errcode = '22023', hint = 'use local, openai, ollama or supabase';
    elsif dimensions not between 1 and 16000 then
        raise exception 'dimensions must be between 1 and 16000, not %', dimensions using errcode = '22023';
    elsif max_tokens < 1 then
        raise exception 'max_tokens must be at least 1, not %', max_tokens using errcode = '22023';
    end if;
    insert into strata.model as m (name, provider, dimensions, max_tokens)
    values (add_model.name, add_model.provider, add_model.dimensions, add_model.max_tokens)
    on conflict do nothing;
    if not found then
        raise exception 'model "%" is known already', name
            using errcode = '42710', hint = 'look into strata.model, or call strata.drop_model first';
    end if;
    insert into strata.model_state (model) values (add_model.name);
end
$$;
revoke execute on function strata.add_model from public;
