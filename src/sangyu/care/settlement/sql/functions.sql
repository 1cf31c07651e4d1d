-- What a statement promises and a check constraint cannot say: its lines stand once it is frozen, and its totals are their sums.

CREATE OR REPLACE FUNCTION sangyu.statement_lines_stand() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE found text;
BEGIN
  SELECT s.state INTO found FROM settlement_statement s WHERE s.id = CASE WHEN TG_OP = 'DELETE' THEN OLD.statement_id ELSE NEW.statement_id END;
  IF found NOT IN ('draft', 'objected') OR (found = 'objected' AND (TG_OP <> 'INSERT' OR NEW.kind <> 'adjustment')) THEN
    RAISE EXCEPTION 'the lines of a frozen statement stand: add an adjustment after an objection' USING ERRCODE = 'check_violation';
  END IF;
  RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END $$;

CREATE OR REPLACE FUNCTION sangyu.statement_equals_lines() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  IF NEW.state NOT IN ('draft', 'objected', 'discarded') AND NOT EXISTS (
    SELECT 1 FROM (SELECT count(*) AS n, coalesce(sum(l.price), 0) AS price, coalesce(sum(l.concession), 0) AS concession,
                          coalesce(sum(l.voucher), 0) AS voucher, coalesce(sum(l.public_pay), 0) AS public_pay,
                          coalesce(sum(l.self_pay), 0) AS self_pay
                     FROM settlement_statementline l WHERE l.statement_id = NEW.id) x
     WHERE (x.n, x.price, x.concession, x.voucher, x.public_pay, x.self_pay)
         = (NEW.line_count, NEW.price, NEW.concession, NEW.voucher, NEW.public_pay, NEW.self_pay)) THEN
    RAISE EXCEPTION 'statement %: the totals are not the sums of its lines', NEW.number USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

DO $$ BEGIN
  IF to_regclass('public.settlement_statementline') IS NOT NULL THEN
    CREATE OR REPLACE TRIGGER statement_lines_stand BEFORE INSERT OR UPDATE OR DELETE ON public.settlement_statementline
      FOR EACH ROW EXECUTE FUNCTION sangyu.statement_lines_stand();
    CREATE OR REPLACE TRIGGER statement_equals_lines BEFORE INSERT OR UPDATE ON public.settlement_statement
      FOR EACH ROW EXECUTE FUNCTION sangyu.statement_equals_lines();
  END IF;
END $$;
