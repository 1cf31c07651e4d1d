-- What a run promises and check constraints cannot say: once approved its lines stand, and its totals are their sums.

CREATE OR REPLACE FUNCTION sangyu.benefit_lines_stand() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET enable_nestloop = off AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF EXISTS (SELECT 1 FROM benefits_run r WHERE r.id IN (SELECT DISTINCT n.run_id FROM new_rows n) AND r.state <> 'computing') THEN
      RAISE EXCEPTION 'lines are written while a run is computed' USING ERRCODE = 'check_violation';
    END IF;
  ELSIF TG_OP = 'DELETE' THEN
    IF EXISTS (SELECT 1 FROM benefits_run r WHERE r.id IN (SELECT DISTINCT o.run_id FROM old_rows o)
                  AND r.state IN ('approved', 'released', 'paid', 'reconciled')) THEN
      RAISE EXCEPTION 'the lines of an approved run stand' USING ERRCODE = 'check_violation';
    END IF;
  ELSIF EXISTS (
    SELECT 1 FROM old_rows o JOIN new_rows n USING (id) JOIN benefits_run r ON r.id = o.run_id
     WHERE (r.state <> 'computing'
            -- every column but state and withheld_for: comparing rows as JSON costs several times as much
            AND (o.run_id, o.path, o.subject_kind, o.subject_id, o.person_id, o.policy, o.version_id, o.month, o.kind, o.form, o.fund,
                 o.amount, o.computed, o.before, o.previous, o.quantity, o.days, o."row", o.base, o.stacked, o.winner, o.change,
                 o.facts, o.reason)
                IS DISTINCT FROM
                (n.run_id, n.path, n.subject_kind, n.subject_id, n.person_id, n.policy, n.version_id, n.month, n.kind, n.form, n.fund,
                 n.amount, n.computed, n.before, n.previous, n.quantity, n.days, n."row", n.base, n.stacked, n.winner, n.change,
                 n.facts, n.reason))
        OR (r.state IN ('approved', 'released', 'paid', 'reconciled') AND o.state IS DISTINCT FROM n.state
            AND (o.state, n.state) NOT IN (('open', 'released'), ('withheld', 'resumed')))) THEN
    RAISE EXCEPTION 'a computed line stands: withhold it, or compute the run again' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION sangyu.benefit_run_stands() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE loose text[] := ARRAY['state', 'released_by', 'released_by_account', 'released_at', 'paid_at', 'reconciled_at', 'operation_id'];
BEGIN
  IF OLD.state IN ('approved', 'released', 'paid', 'reconciled') THEN
    IF TG_OP = 'DELETE' OR NEW.state NOT IN ('approved', 'released', 'paid', 'reconciled')
       OR (to_jsonb(OLD) - loose) IS DISTINCT FROM (to_jsonb(NEW) - loose) THEN
      RAISE EXCEPTION 'run % is approved and stands', OLD.number USING ERRCODE = 'check_violation';
    END IF;
  ELSIF TG_OP = 'UPDATE' AND NEW.state = 'approved' AND NOT EXISTS (
    SELECT 1 FROM (SELECT count(*) AS n, coalesce(sum(l.amount) FILTER (WHERE l.state = 'open'), 0) AS total,
                          coalesce(sum(l.amount) FILTER (WHERE l.state = 'withheld'), 0) AS withheld
                     FROM benefits_line l WHERE l.run_id = NEW.id) x
     WHERE (x.n, x.total, x.withheld) = (NEW.line_count, NEW.total, NEW.withheld)) THEN
    RAISE EXCEPTION 'run %: the totals are not the sums of its lines', NEW.number USING ERRCODE = 'check_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

DO $$ BEGIN
  IF to_regclass('public.benefits_line') IS NOT NULL THEN
    CREATE OR REPLACE TRIGGER benefit_lines_insert AFTER INSERT ON public.benefits_line
      REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION sangyu.benefit_lines_stand();
    CREATE OR REPLACE TRIGGER benefit_lines_update AFTER UPDATE ON public.benefits_line
      REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION sangyu.benefit_lines_stand();
    CREATE OR REPLACE TRIGGER benefit_lines_delete AFTER DELETE ON public.benefits_line
      REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION sangyu.benefit_lines_stand();
    CREATE OR REPLACE TRIGGER benefit_run_stands BEFORE UPDATE OR DELETE ON public.benefits_run
      FOR EACH ROW EXECUTE FUNCTION sangyu.benefit_run_stands();
  END IF;
END $$;
