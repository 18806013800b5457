-- sign_off: what gates, checklists and sign-offs are for, as \d+ and \df+ show it.
comment on table strata.phase_passed is 'Phases without migrations whose gate was met.';
comment on table strata.signature is 'Who has signed which item of a checklist, or taken that back. Append-only.';
comment on column strata.signature.checksum is 'sha256 of the statement and of the files that were signed for, in hex.';
comment on column strata.signature.evidence is 'What proves a restored backup, as its signer gave it.';
comment on column strata.migration.files is 'sha256 over the up, down and verify file, in hex: what a sign-off is given for.';

comment on function strata.signature_is_append_only() is 'Trigger function: refuses every change of strata.signature but an insert.';
comment on function strata.require_pack(text) is 'Refuses a pack that this database was never told about.';
comment on function strata.phase_files(text, int) is 'The files of a phase, a line for each version: its number and the checksum of its files.';
comment on function strata.phase_has_begun(text, int) is 'Whether a version of a phase was begun, or its gate was met and it has none.';
comment on function strata.checklist_items(text) is 'What must hold before each phase of a pack, whether it does or not.';
comment on function strata.verified_state(text, int) is 'Whether everything below a phase is applied and passed its last verification.';
comment on function strata.embedded_state() is 'Whether every row that has text has its embedding, and no job is left.';
comment on function strata.signature_state(text, text, text, text) is 'Whether an item is signed for the files as they are now.';
comment on function strata.item_state(text, text, boolean) is 'How one item of a checklist stands.';
comment on function strata.checklist(text) is 'What must hold before each phase of a pack may start, and whether it does: met, signed or open.';
comment on function strata.phase_status(text) is 'Every phase of a pack, those without migrations too, and its gate: none, passed, met or open.';
comment on function strata.open_gate(text) is 'The gate that a run of a pack waits at, and what keeps it shut.';
comment on function strata.require_item(text, text) is 'An item of a checklist that people sign.';
comment on function strata.require_contract_ended(text) is 'Refuses a pack whose contract phases are not applied to their end.';
comment on function strata.sign_off(text, text, text, jsonb, text) is
    'Signs an item of a checklist as the session''s user, for the files as they are now.';
comment on function strata.withdraw_sign_off(text, text, text) is 'Takes a sign-off back, with a reason.';
comment on function strata.signer() is 'Whom a signature names: the session''s user, and whom an API speaks for.';
