// Requests and answers of the Edge Function. Written by `cargo xtask api`. Bodies have at most 262144 bytes.

export type JsonValue = number | string | boolean | Array<JsonValue> | { [key in string]?: JsonValue } | null;

/**
 * The body, as PostgREST writes it.
 */
export type Error = {
  /**
   * SQLSTATE, or one of [`Protocol`]'s.
   */
  code: string;
  /**
   * One line.
   */
  message: string;
  /**
   * More about the cause.
   */
  details: string | null;
  /**
   * What to do next.
   */
  hint: string | null;
};

/**
 * `GET health`
 */
export type Health = {
  /**
   * Always `ok`.
   */
  status: string;
  /**
   * Of the function.
   */
  version: string;
};

/**
 * `POST migrate`
 */
export type Migrate = {
  /**
   * A pack that was pushed.
   */
  pack: string;
  /**
   * The version to reach, up or down; without it and `to_phase`: everything up.
   */
  target?: number;
  /**
   * The phase to end with.
   */
  to_phase?: number;
  /**
   * Try everything and undo it.
   */
  dry_run?: boolean;
  /**
   * Values of the pack's variables.
   */
  variables?: { [key in string]?: JsonValue };
};

/**
 * `POST migrate`, `POST runs/:id/resume`
 */
export type Started = {
  /**
   * Its id.
   */
  run: string;
};

/**
 * `GET runs/:id`: a row of `strata.run_progress`.
 */
export type Progress = {
  /**
   * Pack that is moved.
   */
  pack: string;
  /**
   * `up` or `down`
   */
  direction: string;
  /**
   * `queued`, `running`, `waiting`, `succeeded`, `failed` or `cancelled`
   */
  state: string;
  /**
   * How often it was taken up.
   */
  attempt: number;
  /**
   * Whether its executor is there.
   */
  alive: boolean;
  /**
   * Role that it is executed as.
   */
  requested_by: string;
  /**
   * When it was asked for, last.
   */
  requested_at: string;
  /**
   * When it ended.
   */
  finished_at: string | null;
  /**
   * Version at work.
   */
  version: number | null;
  /**
   * Its name.
   */
  name: string | null;
  /**
   * Step at work, from 1.
   */
  step: number | null;
  /**
   * Steps of the version.
   */
  steps: number | null;
  /**
   * What the step does.
   */
  summary: string | null;
  /**
   * Where the step stands.
   */
  step_state: string | null;
  /**
   * When it began.
   */
  step_started_at: string | null;
  /**
   * Of a failure.
   */
  sqlstate: string | null;
  /**
   * Of a failure.
   */
  message: string | null;
  /**
   * Of a failure.
   */
  detail: string | null;
  /**
   * Of a failure.
   */
  hint: string | null;
  /**
   * Of a failure: where in a function.
   */
  context: string | null;
  /**
   * Who is in its way.
   */
  waiting_for: string | null;
  /**
   * Of an index build.
   */
  phase: string | null;
  /**
   * Of an index build.
   */
  blocks_done: number | null;
  /**
   * Of an index build.
   */
  blocks_total: number | null;
  /**
   * Of an index build.
   */
  tuples_done: number | null;
  /**
   * Of an index build.
   */
  tuples_total: number | null;
  /**
   * Of an index build or a backfill.
   */
  percent: number | null;
  /**
   * What the run told last.
   */
  last_event: string | null;
  /**
   * Of an index build or a backfill.
   */
  seconds_left: number | null;
};

/**
 * `GET runs/:id/report`: a row of `strata.dry_run_report`.
 */
export type DryRun = {
  /**
   * Pack that is tried.
   */
  pack: string;
  /**
   * `up` or `down`
   */
  direction: string;
  /**
   * `queued`, `running`, `passed`, `failed` or `incomplete`
   */
  state: string;
  /**
   * Of what a run would end with.
   */
  sqlstate: string | null;
  /**
   * Of what a run would end with.
   */
  message: string | null;
  /**
   * Every step with what came of it; none before the end.
   */
  report: JsonValue;
};

/**
 * `POST runs/:id/cancel`
 */
export type Cancelled = {
  /**
   * False: there was nothing to stop.
   */
  cancelled: boolean;
};

/**
 * A version of a pack: a row of `strata.migration_status`.
 */
export type Version = {
  /**
   * Its number.
   */
  version: number;
  /**
   * Its name.
   */
  name: string;
  /**
   * Number of its phase.
   */
  phase: number;
  /**
   * Name of its phase.
   */
  phase_name: string | null;
  /**
   * `pending`, `applying`, `applied` or `reverting`
   */
  state: string;
  /**
   * When it was applied.
   */
  applied_at: string | null;
  /**
   * How long it took.
   */
  execution_time_ms: number | null;
  /**
   * Of its last failure.
   */
  sqlstate: string | null;
  /**
   * Of its last failure.
   */
  error_message: string | null;
};

/**
 * A phase of a pack: a row of `strata.phase_status`.
 */
export type Phase = {
  /**
   * Its number.
   */
  phase: number;
  /**
   * Its name.
   */
  name: string | null;
  /**
   * When the plan has it.
   */
  days: string | null;
  /**
   * How many versions it has.
   */
  versions: number;
  /**
   * How many of them are applied.
   */
  applied: number;
  /**
   * `none`, `passed`, `met` or `open`
   */
  gate: string;
  /**
   * What keeps the gate shut.
   */
  missing: string | null;
};

/**
 * A step that would run now: a row of `strata.plan`.
 */
export type PlannedStep = {
  /**
   * Version that it belongs to.
   */
  version: number;
  /**
   * Name of the version.
   */
  name: string;
  /**
   * Phase of the version.
   */
  phase: number;
  /**
   * `up` or `down`
   */
  direction: string;
  /**
   * Number of the step, from 1.
   */
  step: number;
  /**
   * `transaction`, `alone` or `verify`
   */
  kind: string;
  /**
   * What it does.
   */
  summary: string;
};

/**
 * Something that must hold before a phase: a row of `strata.checklist`.
 */
export type Item = {
  /**
   * As `POST sign-off` names it.
   */
  item: string;
  /**
   * Number of the phase; none for `finalize`.
   */
  phase: number | null;
  /**
   * Name of the phase.
   */
  phase_name: string | null;
  /**
   * `gate`, `verification`, `backup` or `sign-off`
   */
  kind: string;
  /**
   * `met`, `signed` or `open`
   */
  state: string;
  /**
   * What is missing.
   */
  detail: string | null;
  /**
   * Who signed.
   */
  signed_by: string | null;
  /**
   * When.
   */
  signed_at: string | null;
};

/**
 * `GET packs/:name`
 */
export type Pack = {
  /**
   * Its name.
   */
  pack: string;
  /**
   * Every version, in order.
   */
  versions: Array<Version>;
  /**
   * Every phase, in order.
   */
  phases: Array<Phase>;
  /**
   * The run that has not ended, or has left a version half-way; none where every run has ended well.
   */
  run: OpenRun | null;
  /**
   * What would run now; none where that is refused.
   */
  plan: Array<PlannedStep> | null;
  /**
   * Why nothing would run now.
   */
  refused: Error | null;
  /**
   * What must hold before each phase.
   */
  checklist: Array<Item>;
};

/**
 * `POST verify`
 */
export type Verify = {
  /**
   * A pack that was pushed.
   */
  pack: string;
};

/**
 * A check of a verification: a row of `strata.verify`.
 */
export type Check = {
  /**
   * Version that is verified.
   */
  version: number;
  /**
   * What is looked at.
   */
  check_name: string;
  /**
   * What should be.
   */
  expected: string;
  /**
   * What is.
   */
  actual: string;
  /**
   * Whether they agree.
   */
  ok: boolean;
};

/**
 * `POST verify`
 */
export type Verified = {
  /**
   * Whether every check is.
   */
  ok: boolean;
  /**
   * Every check of every applied version.
   */
  checks: Array<Check>;
};

/**
 * `POST sign-off`
 */
export type SignOff = {
  /**
   * A pack that was pushed.
   */
  pack: string;
  /**
   * As its checklist names it.
   */
  item: string;
  /**
   * What makes the signer sure of it.
   */
  reason: string;
  /**
   * What was restored, where a backup is signed.
   */
  evidence?: { [key in string]?: JsonValue };
  /**
   * Take the sign-off back; the reason says why.
   */
  withdraw?: boolean;
};

/**
 * `POST sign-off`
 */
export type Signed = {
  /**
   * The number of the entry in `strata.signature`.
   */
  signature: number;
};

/**
 * `POST embed`
 */
export type Embed = {
  /**
   * Seconds that the answer is waited for, 0 to 100, 10 without it; the work goes on behind the answer.
   */
  wait?: number;
  /**
   * Seconds in which calls of providers are begun, 1 to 360, 100 without it; a call takes 30 at most.
   */
  seconds?: number;
  /**
   * Milliseconds that the function may compute, 10 to 10000, 600 without it.
   */
  cpu_ms?: number;
  /**
   * Rows a claim of the queue, 1 to 1000, 100 without it.
   */
  batch?: number;
};

/**
 * What a queue holds: a row of `strata.jobs_left`.
 */
export type Left = {
  /**
   * Jobs that could be claimed now.
   */
  ripe: number;
  /**
   * Jobs that wait for their time.
   */
  later: number;
  /**
   * Jobs that somebody works on.
   */
  leased: number;
  /**
   * Jobs that were set aside.
   */
  dead: number;
  /**
   * Seconds until the first of those that wait; none waits without it.
   */
  next: number | null;
};

/**
 * A model that cannot be asked from here.
 */
export type Benched = {
  /**
   * Its name.
   */
  model: string;
  /**
   * Why.
   */
  message: string;
  /**
   * What to do next.
   */
  hint: string | null;
};

/**
 * `POST embed`: what was done so far.
 */
export type Drained = {
  /**
   * Vectors stored.
   */
  stored: number;
  /**
   * Vectors of a text that had changed meanwhile, or whose job somebody else had: not stored.
   */
  stale: number;
  /**
   * Jobs that went back with an error.
   */
  failed: number;
  /**
   * Of these, jobs that were set aside.
   */
  dead: number;
  /**
   * Calls of providers.
   */
  calls: number;
  /**
   * Whether the work goes on behind this answer.
   */
  continues: boolean;
  /**
   * What the queue holds of the models that can be asked from here.
   */
  left: Left;
  /**
   * Models that cannot be asked.
   */
  benched: Array<Benched>;
  /**
   * The last error of a job.
   */
  error: string | null;
};

/**
 * `POST search`
 */
export type Search = {
  /**
   * What is asked, as a text: it is embedded.
   */
  query?: string;
  /**
   * What is asked, as a vector of the sources' model; with it, nothing is embedded here.
   */
  embedding?: Array<number>;
  /**
   * The model that made `embedding`: refused where the sources are searched by another.
   */
  embedding_model?: string;
  /**
   * Whose rows, where a service asks; a user asks for their own. As Postgres writes it: a uuid, a number, a name.
   */
  user?: string;
  /**
   * In this organisation alone.
   */
  organisation?: string;
  /**
   * Rows wanted, 10 without it.
   */
  match_count?: number;
  /**
   * How old a row may be, in days.
   */
  date_range_days?: number;
  /**
   * These sources and no others.
   */
  entity_types?: Array<string>;
  /**
   * From -1 to 1.
   */
  minimum_similarity?: number;
  /**
   * What the metadata must contain.
   */
  metadata_filter?: { [key in string]?: JsonValue };
  /**
   * A number above 0 for each entity type.
   */
  source_weights?: { [key in string]?: JsonValue };
  /**
   * From 0 to 1.
   */
  diversity?: number;
  /**
   * The share of the words of `query`, from 0 to 1; without it they are not looked for.
   */
  text_weight?: number;
};

/**
 * A row that was found: a row of `strata.search`, which has those of `strata.rag_search` for keys of any type.
 */
export type Hit = {
  /**
   * Which source it is of.
   */
  entity_type: string;
  /**
   * Its key, as Postgres writes it.
   */
  entity_id: string;
  /**
   * Its title.
   */
  title: string | null;
  /**
   * Its text.
   */
  content: string | null;
  /**
   * One minus the cosine distance, from -1 to 1; none where it was found by its words and has no embedding yet.
   */
  similarity: number | null;
  /**
   * When it was made.
   */
  created_at: string | null;
  /**
   * What its source has as metadata.
   */
  metadata: JsonValue;
};

/**
 * `POST search`
 */
export type Found = {
  /**
   * Best first.
   */
  hits: Array<Hit>;
};
