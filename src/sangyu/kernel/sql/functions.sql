-- Functions that row-level security, history and sharing stand on. Installed after every migrate; see docs/adr/0002 and 0006.
CREATE SCHEMA IF NOT EXISTS sangyu;

-- An empty scope raises, it never returns nothing. Pooled connections leave '' behind, not NULL: check both.
CREATE OR REPLACE FUNCTION sangyu.no_scope() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
  RAISE EXCEPTION 'no scope is open' USING ERRCODE = 'insufficient_privilege', HINT = 'wrap the query in scope(actor)';
END $$;

-- In SQL, so that it is written into the query: it stands in the policy of nearly every table and may run once a row.
CREATE OR REPLACE FUNCTION sangyu.scope_path() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT coalesce(nullif(current_setting('sangyu.path', true), ''), sangyu.no_scope()) $$;

CREATE OR REPLACE FUNCTION sangyu.scope_path_end() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT sangyu.scope_path() || '~' $$;

CREATE OR REPLACE FUNCTION sangyu.scope_lineage() RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT array_agg(left(sangyu.scope_path(), n)) FROM generate_series(3, length(sangyu.scope_path()), 3) n $$;

CREATE OR REPLACE FUNCTION sangyu.scope_subject() RETURNS bigint LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE v text := current_setting('sangyu.subject', true);
BEGIN
  IF v IS NULL OR v = '' THEN
    RAISE EXCEPTION 'the scope names no subject' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN v::bigint;
END $$;

CREATE OR REPLACE FUNCTION sangyu.scope_audience() RETURNS text LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT replace(current_setting('role'), 'sangyu_', '') $$;

-- Ids of one kind that are shared with the audience's subject now. Definer: the list itself is not a row anyone may read.
CREATE OR REPLACE FUNCTION sangyu.shared_ids(wanted text) RETURNS SETOF bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT object_id FROM public.kernel_share
   WHERE audience = replace(current_setting('role'), 'sangyu_', '') AND subject_id = sangyu.scope_subject()
     AND kind = wanted AND since <= now() AND (until IS NULL OR until > now())
$$;

CREATE OR REPLACE FUNCTION sangyu.share(a text, s bigint, k text, o bigint, p text, u timestamptz, why text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  INSERT INTO public.kernel_share (audience, subject_id, kind, object_id, path, since, until, reason)
  VALUES (a, s, k, o, p, now(), u, why)
  ON CONFLICT (audience, subject_id, kind, object_id)
  DO UPDATE SET until = excluded.until, path = excluded.path, reason = excluded.reason
$$;

CREATE OR REPLACE FUNCTION sangyu.unshare(a text, s bigint, k text, o bigint, why text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  UPDATE public.kernel_share SET until = now(), reason = why
   WHERE audience = a AND subject_id = s AND kind = k AND object_id = o AND (until IS NULL OR until > now())
$$;

-- History: one row per changed row, [old, new] of the changed fields only; set-based, so COPY and bulk updates are covered.
-- Arguments: hidden fields; whether the table has "path"; whether it has "source". The source "@row" (bulk imports) stands for
-- the row's own source, so that each change names the row of the file it came from.
-- A plan is kept for the session: one made when a single row changed would compare each old row with each new one in a
-- loop when thousands change. Without nested loops they are hashed, whatever their number.
CREATE OR REPLACE FUNCTION sangyu.history() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET enable_nestloop = off AS $$
#variable_conflict use_variable  -- tables may have columns of these names
DECLARE
  hidden text[] := TG_ARGV[0]::text[];
  account bigint := nullif(current_setting('sangyu.account', true), '')::bigint;
  actor text := coalesce(nullif(current_setting('sangyu.actor', true), ''), session_user);
  why text := coalesce(current_setting('sangyu.reason', true), '');
  origin text := coalesce(current_setting('sangyu.source', true), '');
  part text := coalesce(current_setting('sangyu.role', true), '');
BEGIN
  -- Inserts name their columns: turning whole rows into JSON costs twice as much.
  IF TG_OP = 'INSERT' AND TG_ARGV[1] = 't' AND TG_ARGV[2] = 't' AND origin = '@row' THEN
    INSERT INTO kernel_change (at, txid, table_name, row_id, op, fields, path, account_id, actor, role, reason, source)
    SELECT clock_timestamp(), pg_current_xact_id()::text::bigint, TG_TABLE_NAME, n.id, 'I', '{}'::jsonb,
           n.path, account, actor, part, why, n.source FROM new_rows n;
  ELSIF TG_OP = 'INSERT' AND TG_ARGV[1] = 't' THEN
    INSERT INTO kernel_change (at, txid, table_name, row_id, op, fields, path, account_id, actor, role, reason, source)
    SELECT clock_timestamp(), pg_current_xact_id()::text::bigint, TG_TABLE_NAME, n.id, 'I', '{}'::jsonb,
           n.path, account, actor, part, why, CASE origin WHEN '@row' THEN '' ELSE origin END FROM new_rows n;
  ELSIF TG_OP = 'INSERT' THEN
    INSERT INTO kernel_change (at, txid, table_name, row_id, op, fields, path, account_id, actor, role, reason, source)
    SELECT clock_timestamp(), pg_current_xact_id()::text::bigint, TG_TABLE_NAME, n.id, 'I', '{}'::jsonb,
           '', account, actor, part, why, CASE origin WHEN '@row' THEN '' ELSE origin END FROM new_rows n;
  ELSIF TG_OP = 'UPDATE' AND origin = 'reseal' THEN
    NULL;  -- the same values under another key or cipher (kernel.resealing)
  ELSIF TG_OP = 'UPDATE' THEN
    INSERT INTO kernel_change (at, txid, table_name, row_id, op, fields, path, account_id, actor, role, reason, source)
    SELECT clock_timestamp(), pg_current_xact_id()::text::bigint, TG_TABLE_NAME, (n->>'id')::bigint, 'U', d.fields,
           coalesce(n->>'path', ''), account, actor, part, why,
           CASE origin WHEN '@row' THEN coalesce(n->>'source', '') ELSE origin END
      FROM (SELECT to_jsonb(o) AS o, to_jsonb(n) AS n FROM old_rows o JOIN new_rows n USING (id)) x
      CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(e.key, jsonb_build_array(e.value, x.n -> e.key)) AS fields
          FROM jsonb_each(x.o) e WHERE e.value IS DISTINCT FROM x.n -> e.key AND NOT e.key = ANY (hidden)) d
     WHERE d.fields IS NOT NULL;
  ELSE
    INSERT INTO kernel_change (at, txid, table_name, row_id, op, fields, path, account_id, actor, role, reason, source)
    SELECT clock_timestamp(), pg_current_xact_id()::text::bigint, TG_TABLE_NAME, (j->>'id')::bigint, 'D', j - hidden,
           coalesce(j->>'path', ''), account, actor, part, why, origin
      FROM (SELECT to_jsonb(o) AS j FROM old_rows o) x;
  END IF;
  RETURN NULL;
END $$;
