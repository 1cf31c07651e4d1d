-- What was approved stays as it was approved: text, code, document, first day, author and approver (R-039). The last day may
-- be set or brought forward; the region's path follows the region.
CREATE OR REPLACE FUNCTION sangyu.policy_text_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'an approved policy version stays' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (NEW.state, NEW.code, NEW.number, NEW.name, NEW.subject, NEW.period, NEW.text, NEW.digest, NEW.document_id, NEW.clause,
      NEW.author, NEW.author_id, NEW.approved_by, NEW.approver_id, NEW.approved_at, NEW.valid_from)
     IS DISTINCT FROM
     (OLD.state, OLD.code, OLD.number, OLD.name, OLD.subject, OLD.period, OLD.text, OLD.digest, OLD.document_id, OLD.clause,
      OLD.author, OLD.author_id, OLD.approved_by, OLD.approver_id, OLD.approved_at, OLD.valid_from) THEN
    RAISE EXCEPTION 'an approved policy version stays as it is: write a new one' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;

-- The digest is that of the text, whoever writes the row.
CREATE OR REPLACE FUNCTION sangyu.policy_digest() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.digest <> encode(sha256(convert_to(NEW.text, 'UTF8')), 'hex') THEN
    RAISE EXCEPTION 'the digest is not that of the text' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

DO $$ BEGIN
  IF to_regclass('public.policies_policyversion') IS NOT NULL THEN
    CREATE OR REPLACE TRIGGER policy_text_stays BEFORE UPDATE OR DELETE ON public.policies_policyversion
      FOR EACH ROW WHEN (OLD.state = 'approved') EXECUTE FUNCTION sangyu.policy_text_stays();
    CREATE OR REPLACE TRIGGER policy_digest BEFORE INSERT OR UPDATE OF text, digest ON public.policies_policyversion
      FOR EACH ROW EXECUTE FUNCTION sangyu.policy_digest();
  END IF;
END $$;
