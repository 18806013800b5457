-- take_role: until this transaction ends.
-- $1 text role
select set_config('role', $1::text, true)
