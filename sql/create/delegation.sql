-- delegation: who may have runs of a pack executed as another role: as the one that said so, and as nobody else. Whoever
-- may write here can only give away what is their own.
create table strata.delegation (
    pack          text        not null references strata.pack on delete cascade,
    caller        text        not null,
    runs_as       text        not null default current_user,
    delegated_at  timestamptz not null default clock_timestamp(),
    primary key (pack, caller)
);

create function strata.delegation_is_own() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    -- A superuser may anyway, and one who restores a dump must.
    if new.runs_as <> current_user and not (select r.rolsuper from pg_roles r where r.rolname = current_user) then
        raise exception 'role % cannot delegate what runs as %', current_user, new.runs_as using errcode = '42501';
    end if;
    return new;
end
$$;
create trigger is_own before insert or update on strata.delegation
for each row execute function strata.delegation_is_own();
revoke execute on function strata.delegation_is_own() from public;
