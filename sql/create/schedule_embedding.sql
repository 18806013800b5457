-- schedule_embedding: has the Edge Function drain the queue of embeddings, by pg_cron and pg_net, with a key out of Vault. url:
-- of the function, such as https://PROJECT.supabase.co/functions/v1/strata; secret: the name in Vault of a secret key of the
-- project; schedule: as pg_cron writes it. No job, table or log of ours holds the key. The job runs as the current role; with
-- another url or schedule it replaces the one before. Answers its number. Raises 22023 (url), 55000 (pg_cron, pg_net, Vault or
-- the secret is not there).
create function strata.schedule_embedding(
    url text, secret text default 'strata_secret_key', schedule text default '* * * * *'
) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    job bigint;
begin
    if url !~ '^https?://[^[:space:]?#]+$' or url is null then
        raise exception 'url "%" is not that of a function', coalesce(url, 'null')
            using errcode = '22023', hint = 'such as https://PROJECT.supabase.co/functions/v1/strata';
    end if;
    perform strata.require_schedule();
    perform strata.vault_secret(secret);
    execute 'select cron.schedule($1, $2, $3)' into job
        using 'strata-embedding', schedule, format('select strata.ask_for_embedding(%L, %L)', rtrim(url, '/'), secret);
    return job;
end
$$;
revoke execute on function strata.schedule_embedding(text, text, text) from public;

-- unschedule_embedding: takes the job away. False: the current role had none.
create function strata.unschedule_embedding() returns boolean
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    jobs bigint;
begin
    perform strata.require_schedule();
    execute 'select count(cron.unschedule(j.jobid)) from cron.job j where j.jobname = $1 and j.username = current_user'
        into jobs using 'strata-embedding';
    return jobs > 0;
end
$$;
revoke execute on function strata.unschedule_embedding() from public;

-- ask_for_embedding: what the job runs: asks the function to drain the queue, where there is something that it could do now.
-- It is not waited for: pg_net sends it when this transaction has committed. Answers the number of the request in
-- net._http_response; null: there was nothing to do. Raises 55000 (no such secret).
create function strata.ask_for_embedding(url text, secret text) returns bigint
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    request bigint;
begin
    if not strata.has_ripe_jobs(array['openai', 'ollama']) then
        return null;
    end if;
    execute 'select net.http_post(url => $1, body => $2, headers => $3, timeout_milliseconds => 10000)' into request
        using url || '/embed', jsonb_build_object('wait', 0),
              jsonb_build_object('content-type', 'application/json', 'apikey', strata.vault_secret(secret));
    return request;
end
$$;
revoke execute on function strata.ask_for_embedding(text, text) from public;

-- has_ripe_jobs: whether something could be claimed now of models of these providers; a lease that is over counts, and so do
-- the rows that a change of the model has yet to queue.
create function strata.has_ripe_jobs(providers text[]) returns boolean
language sql stable set search_path = pg_catalog, pg_temp as $$
    select exists (
        select from strata.model m left join strata.model_state p on p.model = m.name
        where m.provider = any (providers) and coalesce(p.paused_until, '-infinity') <= clock_timestamp()
          and not exists (select from strata.model_change c where c.to_model = m.name and c.stopped and c.state = 'filling')
          and (exists (select from strata.job j
                       where j.model = m.name and j.state = 'queued' and j.not_before <= clock_timestamp())
               or exists (select from strata.job j
                          where j.model = m.name and j.state = 'leased' and j.lease_until <= clock_timestamp())
               or exists (select from strata.source_beside b where b.model = m.name and not b.walked)))
$$;
revoke execute on function strata.has_ripe_jobs(text[]) from public;

-- require_schedule: refuses a database in which nothing can be scheduled. Raises 55000.
create function strata.require_schedule() returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    part text;
begin
    select r.part into part
    from (values ('pg_cron', to_regclass('cron.job')::oid), ('pg_net', to_regnamespace('net')::oid),
                 ('supabase_vault', to_regclass('vault.decrypted_secrets')::oid)) r(part, found)
    where r.found is null limit 1;
    if part is not null then
        raise exception '% is not installed in this database', part
            using errcode = '55000', hint = format('run "create extension %s", or have another cron call the function', part);
    end if;
end
$$;
revoke execute on function strata.require_schedule() from public;

-- vault_secret: a secret of Vault, as the caller may see it. Raises 55000 (no such secret).
create function strata.vault_secret(name text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    value text;
begin
    execute 'select s.decrypted_secret from vault.decrypted_secrets s where s.name = $1' into value using name;
    if coalesce(value, '') = '' then
        raise exception 'Vault has no secret "%"', coalesce(name, 'null')
            using errcode = '55000', hint = format('run "select vault.create_secret(''sb_secret_...'', %L)"', name);
    end if;
    return value;
end
$$;
revoke execute on function strata.vault_secret(text) from public;
