-- watch_registry: every session remembers what is registered; these triggers tell them all that it has changed. For each
-- row, and always: the apply worker of a subscription fires no others.
create trigger strata_forget after insert or update or delete on strata.source
    for each row execute function strata.forget_registry();
create trigger strata_forget_truncate after truncate on strata.source
    for each statement execute function strata.forget_registry();
create trigger strata_forget after insert or update or delete on strata.model
    for each row execute function strata.forget_registry();
create trigger strata_forget_truncate after truncate on strata.model
    for each statement execute function strata.forget_registry();
alter table strata.source enable always trigger strata_forget, enable always trigger strata_forget_truncate;
alter table strata.model enable always trigger strata_forget, enable always trigger strata_forget_truncate;
revoke execute on function strata.forget_registry from public;
