-- The only writers of the ledger's tables (docs/adr/0004-ledger.md). Each returns (id, refusal, detail): a refusal has changed
-- nothing and leaves the caller's transaction usable, because the work runs in a sub-transaction that is undone.
-- SQLSTATE SY001 carries a refusal inside these functions: MESSAGE is the code, DETAIL what it is about.

CREATE OR REPLACE FUNCTION sangyu.ledger_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'ledger rows are immutable: correct a transfer with a new one, close an account' USING ERRCODE = 'insufficient_privilege';
END $$;

DO $$ BEGIN
  IF to_regclass('public.ledger_transfer') IS NOT NULL THEN
    CREATE OR REPLACE TRIGGER ledger_transfer_immutable BEFORE UPDATE OR DELETE ON public.ledger_transfer
      FOR EACH STATEMENT EXECUTE FUNCTION sangyu.ledger_immutable();
    CREATE OR REPLACE TRIGGER ledger_account_stays BEFORE DELETE ON public.ledger_account
      FOR EACH STATEMENT EXECUTE FUNCTION sangyu.ledger_immutable();
    -- Balances change often and no index covers them: room for in-page (HOT) updates.
    ALTER TABLE public.ledger_account SET (fillfactor = 60);
  END IF;
END $$;

-- The region within which the caller may take from accounts; raises for audiences that must go through a service.
CREATE OR REPLACE FUNCTION sangyu.ledger_scope() RETURNS text LANGUAGE plpgsql STABLE AS $$
BEGIN
  IF current_setting('role') NOT IN ('sangyu_staff', 'sangyu_job') THEN
    RAISE EXCEPTION 'the ledger is written in a scope of staff or job' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN sangyu.scope_path();
END $$;

-- Refusal code of a constraint that said no.
CREATE OR REPLACE FUNCTION sangyu.ledger_code(constraint_name text) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE constraint_name
    WHEN 'ledger_account_floor' THEN 'ledger.insufficient'
    WHEN 'ledger_account_ceiling' THEN 'ledger.ceiling'
    WHEN 'ledger_transfer_two_accounts' THEN 'ledger.same_account'
    WHEN 'ledger_transfer_amount' THEN 'ledger.amount'
    ELSE 'ledger.' || constraint_name END
$$;

CREATE OR REPLACE FUNCTION sangyu.ledger_account_open(
  a_kind text, a_owners bigint[], a_unit text, a_purpose text, a_paths text[], a_persons bigint[], a_floor bigint, a_ceiling bigint)
RETURNS SETOF bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE region text := sangyu.ledger_scope();
BEGIN
  IF EXISTS (SELECT 1 FROM unnest(a_paths) p WHERE NOT starts_with(p, region)) THEN
    RAISE EXCEPTION 'an account outside the open scope' USING ERRCODE = 'insufficient_privilege';
  END IF;
  INSERT INTO ledger_account (owner_kind, owner_id, unit, purpose, path, person_id, floor, ceiling,
                              balance, reserved_out, reserved_in, opened_at)
  SELECT a_kind, x.owner, a_unit, a_purpose, x.path, x.person, a_floor, a_ceiling, 0, 0, 0, now()
    FROM unnest(a_owners, a_paths, a_persons) x (owner, path, person)
  ON CONFLICT (owner_kind, owner_id, unit, purpose) DO NOTHING;
  RETURN QUERY
    SELECT a.id FROM unnest(a_owners) WITH ORDINALITY x (owner, n)
      JOIN ledger_account a ON a.owner_kind = a_kind AND a.owner_id = x.owner AND a.unit = a_unit AND a.purpose = a_purpose
     ORDER BY x.n;
END $$;

-- Close one account, which pins it to zero by both limits, or change its limits.
CREATE OR REPLACE FUNCTION sangyu.ledger_account_set(
  a_id bigint, a_close boolean, a_floor bigint, a_ceiling bigint, OUT id bigint, OUT refusal text, OUT detail text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE region text := sangyu.ledger_scope(); name text;
BEGIN
  IF a_close THEN
    UPDATE ledger_account a SET closed_at = coalesce(a.closed_at, now()), floor = 0, ceiling = 0
     WHERE a.id = a_id AND starts_with(a.path, region) RETURNING a.id INTO id;
  ELSE
    UPDATE ledger_account a SET floor = a_floor, ceiling = a_ceiling
     WHERE a.id = a_id AND a.closed_at IS NULL AND starts_with(a.path, region) RETURNING a.id INTO id;
  END IF;
  IF id IS NULL THEN refusal := 'ledger.account_unknown'; detail := a_id; END IF;
EXCEPTION WHEN check_violation THEN
  GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
  id := NULL; refusal := CASE WHEN a_close THEN 'ledger.not_empty' ELSE sangyu.ledger_code(name) END; detail := a_id;
END $$;

-- Move balance and reservations between two accounts, locking the lower id first. Raises SY001.
CREATE OR REPLACE FUNCTION sangyu.ledger_shift(
  region text, d bigint, c bigint, moved bigint, reserved bigint, guarded boolean)
RETURNS void LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE one record; two record;
BEGIN
  IF d < c THEN
    UPDATE ledger_account SET balance = balance - moved, reserved_out = reserved_out + reserved WHERE id = d RETURNING id, unit, path, closed_at INTO one;
    UPDATE ledger_account SET balance = balance + moved, reserved_in = reserved_in + reserved WHERE id = c RETURNING id, unit, path, closed_at INTO two;
  ELSE
    UPDATE ledger_account SET balance = balance + moved, reserved_in = reserved_in + reserved WHERE id = c RETURNING id, unit, path, closed_at INTO two;
    UPDATE ledger_account SET balance = balance - moved, reserved_out = reserved_out + reserved WHERE id = d RETURNING id, unit, path, closed_at INTO one;
  END IF;
  IF one.id IS NULL OR two.id IS NULL OR NOT starts_with(one.path, region) THEN
    RAISE EXCEPTION SQLSTATE 'SY001' USING MESSAGE = 'ledger.account_unknown', DETAIL = CASE WHEN two.id IS NULL THEN c ELSE d END;
  END IF;
  IF one.unit <> two.unit THEN
    RAISE EXCEPTION SQLSTATE 'SY001' USING MESSAGE = 'ledger.unit', DETAIL = one.unit || '/' || two.unit;
  END IF;
  IF guarded AND (one.closed_at IS NOT NULL OR two.closed_at IS NOT NULL) THEN
    RAISE EXCEPTION SQLSTATE 'SY001' USING MESSAGE = 'ledger.closed', DETAIL = CASE WHEN one.closed_at IS NULL THEN c ELSE d END;
  END IF;
END $$;

-- transfer, reserve and correct.
CREATE OR REPLACE FUNCTION sangyu.ledger_move(
  a_phase text, a_debit bigint, a_credit bigint, a_amount bigint, a_key text, a_kind text, a_reference text, a_reason text,
  a_effective date, a_expires timestamptz, a_corrects bigint, OUT id bigint, OUT refusal text, OUT detail text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
  region text := sangyu.ledger_scope();
  hash bytea;
  known record;
  corrected bigint;
  name text;
BEGIN
  IF a_corrects IS NOT NULL THEN
    IF a_reason = '' THEN refusal := 'ledger.reason_missing'; detail := a_corrects; RETURN; END IF;
    SELECT * INTO known FROM ledger_transfer t WHERE t.id = a_corrects AND t.phase IN ('transfer', 'post');
    IF NOT FOUND THEN refusal := 'ledger.transfer_unknown'; detail := a_corrects; RETURN; END IF;
    a_debit := known.credit_id;
    a_credit := known.debit_id;
    a_kind := known.kind;
    a_reference := known.reference;
  END IF;
  hash := sha256(convert_to(
    ROW(a_phase, a_debit, a_credit, a_amount, a_kind, a_reference, a_reason, a_effective, a_corrects)::text, 'UTF8'));
  IF a_corrects IS NOT NULL AND a_amount IS NULL THEN a_amount := known.amount; END IF;
  INSERT INTO ledger_transfer (phase, debit_id, credit_id, amount, key, input_hash, kind, reference, reason, effective_on,
                               recorded_at, expires_at, corrects_id, account_id, actor)
  VALUES (a_phase, a_debit, a_credit, a_amount, a_key, hash, a_kind, a_reference, a_reason,
          coalesce(a_effective, (now() AT TIME ZONE 'Asia/Shanghai')::date), now(), a_expires, a_corrects,
          nullif(current_setting('sangyu.account', true), '')::bigint, current_setting('sangyu.actor'))
  ON CONFLICT (key) DO NOTHING RETURNING ledger_transfer.id INTO id;
  IF id IS NULL THEN
    SELECT t.id, CASE WHEN t.input_hash <> hash THEN 'ledger.key_reused' END INTO id, refusal FROM ledger_transfer t WHERE t.key = a_key;
    IF refusal IS NOT NULL THEN id := NULL; detail := a_key; END IF;
    RETURN;
  END IF;
  IF a_phase = 'reserve' THEN
    INSERT INTO ledger_openreservation (transfer_id, debit_id, credit_id, amount, expires_at)
    VALUES (id, a_debit, a_credit, a_amount, a_expires);
    PERFORM sangyu.ledger_shift(region, a_debit, a_credit, 0, a_amount, true);
  ELSE
    PERFORM sangyu.ledger_shift(region, a_debit, a_credit, a_amount, 0, true);
  END IF;
  IF a_corrects IS NOT NULL THEN  -- both accounts are locked now, so no other correction of it is under way
    SELECT sum(t.amount) INTO corrected FROM ledger_transfer t WHERE t.corrects_id = a_corrects;
    IF corrected > known.amount THEN
      RAISE EXCEPTION SQLSTATE 'SY001' USING MESSAGE = 'ledger.over_corrected', DETAIL = known.amount - corrected + a_amount;
    END IF;
  END IF;
EXCEPTION
  WHEN SQLSTATE 'SY001' THEN
    GET STACKED DIAGNOSTICS refusal = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    id := NULL;
  WHEN check_violation THEN
    GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
    id := NULL; refusal := sangyu.ledger_code(name); detail := a_key;
    IF EXISTS (SELECT 1 FROM ledger_account a WHERE a.id IN (a_debit, a_credit) AND a.closed_at IS NOT NULL) THEN
      refusal := 'ledger.closed';
    END IF;
  WHEN numeric_value_out_of_range THEN
    id := NULL; refusal := 'ledger.amount'; detail := a_key;
END $$;

-- post, void and expire: end one reservation, once.
CREATE OR REPLACE FUNCTION sangyu.ledger_resolve(
  a_phase text, a_pending bigint, a_amount bigint, a_key text, a_reason text, a_effective date, a_now timestamptz,
  OUT id bigint, OUT refusal text, OUT detail text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE
  region text := sangyu.ledger_scope();
  held record;
  hash bytea;
  name text;
BEGIN
  SELECT * INTO held FROM ledger_transfer t WHERE t.id = a_pending AND t.phase = 'reserve';
  IF NOT FOUND THEN refusal := 'ledger.transfer_unknown'; detail := a_pending; RETURN; END IF;
  hash := sha256(convert_to(ROW(a_phase, a_pending, a_amount, a_reason, a_effective)::text, 'UTF8'));
  SELECT t.id, CASE WHEN t.input_hash <> hash THEN 'ledger.key_reused' END INTO id, refusal FROM ledger_transfer t WHERE t.key = a_key;
  IF FOUND THEN
    IF refusal IS NOT NULL THEN id := NULL; detail := a_key; END IF;
    RETURN;
  END IF;
  DELETE FROM ledger_openreservation o WHERE o.transfer_id = a_pending;
  IF NOT FOUND THEN
    -- Ended meanwhile; by this very key when two clients retry at once.
    SELECT t.id INTO id FROM ledger_transfer t WHERE t.key = a_key AND t.input_hash = hash;
    IF NOT FOUND THEN refusal := 'ledger.resolved'; detail := a_pending; END IF;
    RETURN;
  END IF;
  IF a_phase = 'post' AND held.expires_at <= coalesce(a_now, now()) THEN
    RAISE EXCEPTION SQLSTATE 'SY001' USING MESSAGE = 'ledger.expired', DETAIL = a_pending;
  END IF;
  IF a_phase <> 'post' OR a_amount IS NULL THEN a_amount := held.amount; END IF;
  IF a_amount > held.amount THEN
    RAISE EXCEPTION SQLSTATE 'SY001' USING MESSAGE = 'ledger.over_posted', DETAIL = held.amount;
  END IF;
  INSERT INTO ledger_transfer (phase, debit_id, credit_id, amount, key, input_hash, kind, reference, reason, effective_on,
                               recorded_at, pending_id, account_id, actor)
  VALUES (a_phase, held.debit_id, held.credit_id, a_amount, a_key, hash, held.kind, held.reference, a_reason,
          coalesce(a_effective, (now() AT TIME ZONE 'Asia/Shanghai')::date), now(), a_pending,
          nullif(current_setting('sangyu.account', true), '')::bigint, current_setting('sangyu.actor'))
  RETURNING ledger_transfer.id INTO id;
  PERFORM sangyu.ledger_shift(
    region, held.debit_id, held.credit_id, CASE WHEN a_phase = 'post' THEN a_amount ELSE 0 END, -held.amount, false);
EXCEPTION
  WHEN SQLSTATE 'SY001' THEN
    GET STACKED DIAGNOSTICS refusal = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    id := NULL;
  WHEN unique_violation THEN  -- the key was taken by another transfer at this moment
    id := NULL; refusal := 'ledger.key_reused'; detail := a_key;
  WHEN check_violation THEN
    GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
    id := NULL; refusal := sangyu.ledger_code(name); detail := a_key;
END $$;

-- Release what is due at a_now, oldest first; answers how many. Rows that another client holds are left for the next call.
CREATE OR REPLACE FUNCTION sangyu.ledger_expire(a_now timestamptz, a_limit int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE region text := sangyu.ledger_scope(); due bigint[]; ended int;
BEGIN
  SELECT array_agg(x.transfer_id) INTO due FROM (
    SELECT o.transfer_id FROM ledger_openreservation o JOIN ledger_account a ON a.id = o.debit_id
     WHERE o.expires_at <= a_now AND starts_with(a.path, region) ORDER BY o.expires_at LIMIT a_limit FOR UPDATE OF o SKIP LOCKED) x;
  IF due IS NULL THEN RETURN 0; END IF;
  PERFORM 1 FROM ledger_account a WHERE a.id IN (
    SELECT o.debit_id FROM ledger_openreservation o WHERE o.transfer_id = ANY (due)
    UNION SELECT o.credit_id FROM ledger_openreservation o WHERE o.transfer_id = ANY (due)) ORDER BY a.id FOR NO KEY UPDATE;
  WITH gone AS (DELETE FROM ledger_openreservation o WHERE o.transfer_id = ANY (due) RETURNING o.*),
  freed AS (
    SELECT x.account, sum(x.leaving) AS leaving, sum(x.arriving) AS arriving FROM (
      SELECT debit_id AS account, amount AS leaving, 0 AS arriving FROM gone UNION ALL SELECT credit_id, 0, amount FROM gone) x GROUP BY 1),
  moved AS (
    UPDATE ledger_account a SET reserved_out = a.reserved_out - f.leaving, reserved_in = a.reserved_in - f.arriving
      FROM freed f WHERE a.id = f.account)
  INSERT INTO ledger_transfer (phase, debit_id, credit_id, amount, key, input_hash, kind, reference, reason, effective_on,
                               recorded_at, pending_id, account_id, actor)
  SELECT 'expire', t.debit_id, t.credit_id, t.amount, 'expire:' || t.id, sha256(t.input_hash), t.kind, t.reference, '',
         (a_now AT TIME ZONE 'Asia/Shanghai')::date, now(), t.id,
         nullif(current_setting('sangyu.account', true), '')::bigint, current_setting('sangyu.actor')
    FROM ledger_transfer t WHERE t.id = ANY (due);
  GET DIAGNOSTICS ended = ROW_COUNT;
  RETURN ended;
END $$;

-- Many transfers of one kind in one act: all or none. Limits are asked of the outcome, not of each step.
CREATE OR REPLACE FUNCTION sangyu.ledger_batch(
  a_debits bigint[], a_credits bigint[], a_amounts bigint[], a_keys text[], a_references text[], a_kind text, a_reason text,
  a_effective date, OUT ids bigint[], OUT refusal text, OUT detail text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
#variable_conflict use_column
DECLARE region text := sangyu.ledger_scope(); name text; added int;
BEGIN
  PERFORM 1 FROM ledger_account a WHERE a.id IN (SELECT unnest(a_debits) UNION SELECT unnest(a_credits))
    ORDER BY a.id FOR NO KEY UPDATE;
  SELECT CASE WHEN d.id IS NULL OR c.id IS NULL OR NOT starts_with(d.path, region) THEN 'ledger.account_unknown'
              WHEN d.unit <> c.unit THEN 'ledger.unit' ELSE 'ledger.closed' END, x.key
    INTO refusal, detail
    FROM unnest(a_debits, a_credits, a_keys) WITH ORDINALITY x (d, c, key, n)
    LEFT JOIN ledger_account d ON d.id = x.d LEFT JOIN ledger_account c ON c.id = x.c
   WHERE d.id IS NULL OR c.id IS NULL OR NOT starts_with(d.path, region) OR d.unit <> c.unit
      OR d.closed_at IS NOT NULL OR c.closed_at IS NOT NULL
   ORDER BY x.n LIMIT 1;
  IF refusal IS NOT NULL THEN RETURN; END IF;
  WITH made AS (
    INSERT INTO ledger_transfer (phase, debit_id, credit_id, amount, key, input_hash, kind, reference, reason, effective_on,
                                 recorded_at, account_id, actor)
    SELECT 'transfer', x.d, x.c, x.amount, x.key,
           sha256(convert_to(ROW('transfer', x.d, x.c, x.amount, a_kind, x.ref, a_reason, a_effective, NULL::bigint)::text, 'UTF8')),
           a_kind, x.ref, a_reason, coalesce(a_effective, (now() AT TIME ZONE 'Asia/Shanghai')::date), now(),
           nullif(current_setting('sangyu.account', true), '')::bigint, current_setting('sangyu.actor')
      FROM unnest(a_debits, a_credits, a_amounts, a_keys, a_references) x (d, c, amount, key, ref)
    ON CONFLICT (key) DO NOTHING RETURNING ledger_transfer.id, debit_id, credit_id, amount),
  sums AS (
    SELECT x.account, sum(x.delta) AS delta
      FROM (SELECT debit_id AS account, -amount AS delta FROM made UNION ALL SELECT credit_id, amount FROM made) x GROUP BY 1),
  moved AS (UPDATE ledger_account a SET balance = a.balance + s.delta FROM sums s WHERE a.id = s.account)
  SELECT count(*), array_agg(made.id ORDER BY made.id) INTO added, ids FROM made;  -- inserted in the order of the lines
  IF added < cardinality(a_keys) THEN  -- some keys were there before: only the same input may have used them
    SELECT x.key INTO detail
      FROM unnest(a_debits, a_credits, a_amounts, a_keys, a_references) x (d, c, amount, key, ref)
      JOIN ledger_transfer t ON t.key = x.key
     WHERE t.input_hash <> sha256(convert_to(
             ROW('transfer', x.d, x.c, x.amount, a_kind, x.ref, a_reason, a_effective, NULL::bigint)::text, 'UTF8'))
     LIMIT 1;
    IF FOUND THEN RAISE EXCEPTION SQLSTATE 'SY001' USING MESSAGE = 'ledger.key_reused', DETAIL = detail; END IF;
    SELECT array_agg(t.id ORDER BY x.n) INTO ids
      FROM unnest(a_keys) WITH ORDINALITY x (key, n) JOIN ledger_transfer t ON t.key = x.key;
  END IF;
EXCEPTION
  WHEN SQLSTATE 'SY001' THEN
    GET STACKED DIAGNOSTICS refusal = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    ids := NULL;
  WHEN check_violation THEN
    GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
    ids := NULL; refusal := sangyu.ledger_code(name); detail := '';
  WHEN numeric_value_out_of_range THEN
    ids := NULL; refusal := 'ledger.amount'; detail := '';
END $$;
