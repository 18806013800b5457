-- install: the extension and, before it, pgvector. On Supabase extensions live in the schema `extensions`.
do $$
begin
    if to_regnamespace('extensions') is not null then
        create extension if not exists vector with schema extensions;
    end if;
    create extension if not exists strata cascade;
end
$$
