-- 004 down: takes back the columns and constraints that version 004 made. What was measured in the meantime is saved in
-- strata_aurum.kept and comes back with the next up.

select strata_aurum.keep(4, 'public.tasks');
select strata_aurum.undo(4, 'public.tasks');

-- strata: new transaction
select strata_aurum.settle(4);
