-- continue_model_changes: strata.continue_model_change of every change that is open, a page each. Answers how many jobs are new, and
-- whether every walk is at its end. A change whose next row somebody holds holds up no other. Raises what that does, 55P03 where no
-- change could go on.
create function strata.continue_model_changes(max int default 1000, out enqueued bigint, out done boolean)
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    turn  text;
    page  record;
    held  text;
    moved boolean := false;
begin
    enqueued := 0;
    done := true;
    for turn in select c.to_model from strata.model_change c order by 1 loop
        begin
            select * into page from strata.continue_model_change(turn, max);
            enqueued := enqueued + page.enqueued;
            done := done and page.done;
            moved := moved or not page.done or page.enqueued > 0;
        exception when lock_not_available then
            held := sqlerrm;
            done := false;
        end;
    end loop;
    if held is not null and not moved then
        raise exception '%', held
            using errcode = '55P03', hint = '"strata locks" shows who; try again when that transaction has ended';
    end if;
end
$$;
revoke execute on function strata.continue_model_changes(int) from public;
