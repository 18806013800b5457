-- set_chunking: a text of a source that has more than so many tokens is embedded in parts from now on, of which each begins
-- with up to `overlap` tokens of the one before; null: as a whole again. A search answers with a row once, by the part that
-- fits best. The worker cuts, by the model's own tokens where it has its tokenizer. What is embedded already stays as it is:
-- strata.enqueue_again queues it. Raises 42704 (no such source), 22023 (a number that cannot be), 55000 (no store).
create function strata.set_chunking(entity_type text, tokens int, overlap int default 0) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s    strata.source := strata.source_as(entity_type, null);
    most int;
begin
    if s.entity_type is null then
        raise exception 'source "%" does not exist', coalesce(entity_type, 'null')
            using errcode = '42704', hint = 'look into strata.source, or call strata.add_source';
    elsif tokens < 1 then
        raise exception 'tokens must be at least 1, not %', tokens using errcode = '22023', hint = 'null: texts are embedded as a whole';
    elsif overlap is null or overlap < 0 or overlap >= coalesce(tokens, 1) then
        raise exception 'overlap must be from 0 to less than tokens, not %', coalesce(overlap::text, 'null') using errcode = '22023';
    elsif tokens is not null and s.store is null
          and not exists (select from strata.source_beside b where b.entity_type = set_chunking.entity_type and b.store is not null) then
        raise exception 'source "%" keeps one vector a row, in column "%"', entity_type, s.vector_column
            using errcode = '55000', hint = 'add it with a store, or change its model: the new vectors go into one';
    end if;
    most := (select m.max_tokens from strata.model m where m.name = s.model);
    if tokens > most then
        raise exception 'tokens must be at most % for model "%", not %', most, s.model, tokens using errcode = '22023';
    end if;
    update strata.source x
    set chunk_tokens = tokens, chunk_overlap = overlap, chunked = x.chunked or tokens is not null
    where x.entity_type = set_chunking.entity_type;
end
$$;
revoke execute on function strata.set_chunking from public;

-- chunking_of: how texts of a source are cut, and for which of its models: those whose vectors lie in a store.
create function strata.chunking_of(entity_type text, out tokens int, out overlap int, out models text[])
language sql stable set search_path = pg_catalog, pg_temp as $$
    select s.chunk_tokens, s.chunk_overlap,
           array(select s.model where s.store is not null
                 union all
                 select b.model from strata.source_beside b where b.entity_type = s.entity_type and b.store is not null)
    from strata.source s where s.entity_type = chunking_of.entity_type
$$;
revoke execute on function strata.chunking_of from public;
