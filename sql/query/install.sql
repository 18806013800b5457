-- install: the extension and, before it, pgvector. On Supabase extensions live in the schema `extensions`. Elsewhere
-- pgvector must not be left to the cascade: for a user called strata it would land in the schema strata.
do $$
begin
    if to_regnamespace('extensions') is not null then
        create extension if not exists vector with schema extensions;
    else
        create extension if not exists vector;
    end if;
    create extension if not exists strata cascade;
end
$$
