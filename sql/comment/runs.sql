-- runs: what runs in the database are for, as \d+ and \df+ show it.
comment on table strata.pack_file is 'The files of the packs that were pushed, as they are in the folder, pack.toml among them.';
comment on column strata.pack_file.checksum is 'sha256 of the text, in hex.';
comment on table strata.run_event is 'What a run in the database told while it went on.';
comment on column strata.run.request is 'What strata.start_run was asked for; where the command line began the run: count, target or to_phase, and the attempt since which a count is counted.';
comment on function strata.keep_request() is 'Keeps what strata.start_run was asked for from being rewritten by an operator.';
comment on column strata.run.executor_pid is 'Process of the session that has claimed the run; with executor_started it is that one and no other.';
comment on column strata.run.heartbeat_at is 'When the executor began its newest step, or the run was asked for again. An executor lives as long as its session, whatever this says.';
comment on column strata.run.cancel_asked_at is 'When strata.cancel_run asked the executor to stop.';

comment on function strata.push_pack(jsonb) is 'Keeps the files of a pack in the database, as strata push sends them; refuses a pack that could not run.';
comment on function strata.plan(text, bigint) is 'The steps that a run of a pushed pack would take now. Does nothing.';
comment on function strata.preflight(text) is 'Everything that a run of a pushed pack would be refused for, question by question.';
comment on function strata.start_run(text, bigint, int, boolean, jsonb) is
    'Moves a pushed pack in a background worker, as the calling role, once this transaction has committed; returns the run. A dry run changes nothing, and is found in strata.dry_run.';
comment on function strata.resume_run(uuid) is 'Lets a run go on that failed, waits, was cancelled or has lost its executor.';
comment on function strata.run_progress(uuid) is 'Where a run is: its step, who holds it up, how far an index build or a backfill has come.';
comment on function strata.unfinished_run(text) is
    'The run of a pack that has not ended, or has left a version half-way, and the step that it came to.';
comment on function strata.cancel_run(uuid) is 'Stops a run now: its statement is cancelled, its step undone. False: there was nothing to stop.';
comment on function strata.force_version(text, bigint, text) is
    'Says where a pack stands without running anything, and writes the reason into strata.history. Returns the versions moved.';
comment on function strata.verify(text) is 'Runs the verification of every applied version of a pushed pack again, as the caller, who may only read.';
comment on function strata.begin_step(uuid, int, bigint, int, int, text, text, text, boolean) is
    'Writes the intent of a step for the executor of a run; returns whether somebody has asked the run to stop.';
comment on function strata.finish_step(uuid, int, bigint, int, boolean) is
    'Writes that a step is done, and its version where it is the last, for the executor of a run.';
comment on function strata.stop_asked(uuid) is 'Whether somebody has asked a run to stop; executors ask it when a statement was cancelled.';
comment on function strata.runs_to_take(interval) is
    'Runs that nobody executes, and whether the caller''s session may turn them, may have them turned, or neither.';
comment on function strata.end_hung_executors(interval) is
    'Ends the sessions of executors that have done nothing for longer than the lease; returns their runs.';
comment on function strata.run_is_alive(uuid) is 'Whether the session that has claimed a run still lives.';
comment on function strata.session_text(int) is 'A session in one line: pid, role, application, state, age of its transaction, statement; as far as the caller may see it.';
comment on function strata.lock_tree() is 'Who waits for whom in this database: roots first, behind each session those that wait for it; as far as the caller may see it.';
comment on function strata.spare_server() is
    'From now on this session refuses what would outlive its database: roles, settings of roles, tablespaces; for the copy that a dry run makes.';
