-- write_both: makes the trigger that keeps both columns of an expansion in step, and its function in the schema of the
-- table. Whoever writes one column finds the other computed; whoever writes both keeps both where they agree, and else the
-- new one wins. A row is changed before it is stored, so nothing fires twice. The setting strata.filling is that of the
-- walks: `up` computes the new column, `back` the old one where it does not agree.
create function strata.write_both(relation regclass, new_column text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_variable
declare
    e     strata.expansion;
    space text;
    old_type text;
    name  text;
begin
    select x.* into strict e from strata.expansion x where x.relation = write_both.relation::text
      and x.new_column = write_both.new_column;
    select n.nspname, format_type(a.atttypid, a.atttypmod) into strict space, old_type
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    join pg_attribute a on a.attrelid = c.oid and a.attname = e.old_column
    where c.oid = write_both.relation;
    name := strata.both_name(relation, new_column);
    execute format(
        $f$create or replace function %1$I.%2$I() returns trigger language plpgsql set search_path = pg_catalog, %1$I, pg_temp as $body$
           declare
               filling text := current_setting('strata.filling', true);
               agreed  boolean;
               %3$I %4$s := new.%3$I;
               %5$I %6$s := new.%5$I;
           begin
               if filling = 'up' or (tg_op = 'INSERT' and new.%5$I is null) then
                   new.%5$I := (%7$s);
               elsif tg_op = 'INSERT' or filling = 'back' or new.%5$I is distinct from old.%5$I then
                   agreed := new.%5$I is not distinct from (%7$s)::%6$s;
                   if not agreed then
                       new.%3$I := (%8$s);
                   end if;
               elsif new.%3$I is distinct from old.%3$I then
                   new.%5$I := (%7$s);
               end if;
               return new;
           end $body$ $f$,
        space, name, e.old_column, old_type, e.new_column, e.type, e.up, e.down);
    -- The last of all, after those of the application.
    execute format('create trigger %I before insert or update on %s for each row execute function %I.%I()',
                   name, relation, space, name);
end
$$;
revoke execute on function strata.write_both(regclass, text) from public;
