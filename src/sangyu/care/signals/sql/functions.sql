-- Days of readings and of ids (docs/adr/0024). The parents belong to the owner of the database; whoever takes signals does not, so days are made here.

CREATE OR REPLACE FUNCTION sangyu.signals_partitions(first date, last date) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE d date; made int := 0; name text;
BEGIN
  IF last - first > 40 OR last > current_date + 40 THEN RAISE EXCEPTION 'from % to % are too many days', first, last; END IF;
  FOR d IN SELECT generate_series(first, last, interval '1 day')::date LOOP
    IF to_regclass(format('public.signals_reading_%s', to_char(d, 'YYYYMMDD'))) IS NOT NULL THEN CONTINUE; END IF;
    PERFORM pg_advisory_xact_lock(hashtext('signals_partitions'));
    name := format('signals_reading_%s', to_char(d, 'YYYYMMDD'));
    IF to_regclass('public.' || name) IS NOT NULL THEN CONTINUE; END IF;
    -- made beside its parent and attached: nobody who reads or writes other days waits for it
    EXECUTE format('CREATE TABLE public.%I (LIKE public.signals_reading INCLUDING DEFAULTS)', name);
    EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT day CHECK (day = %L::date)', name, d);
    EXECUTE format('CREATE INDEX %I ON public.%I (device_id, at)', name || '_device', name);
    EXECUTE format('CREATE INDEX %I ON public.%I (person_id, at) WHERE person_id IS NOT NULL', name || '_person', name);
    EXECUTE format('ALTER TABLE public.signals_reading ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', name, d, d + 1);
    EXECUTE format('GRANT INSERT ON public.%I TO sangyu_job', name); -- COPY goes to the day itself; reading goes through the parent and its policies
    name := format('signals_seen_%s', to_char(d, 'YYYYMMDD'));
    EXECUTE format('CREATE TABLE public.%I (LIKE public.signals_seen INCLUDING DEFAULTS)', name);
    EXECUTE format('ALTER TABLE public.%I ADD CONSTRAINT day CHECK (day = %L::date)', name, d);
    EXECUTE format('ALTER TABLE public.%I ADD PRIMARY KEY (day, slot, id)', name);
    EXECUTE format('ALTER TABLE public.signals_seen ATTACH PARTITION public.%I FOR VALUES FROM (%L) TO (%L)', name, d, d + 1);
    EXECUTE format('GRANT INSERT ON public.%I TO sangyu_job', name);
    made := made + 1;
  END LOOP;
  RETURN made;
END $$;

-- The days that are there, oldest first.
CREATE OR REPLACE FUNCTION sangyu.signals_days(of text) RETURNS SETOF date
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  SELECT to_date(right(c.relname, 8), 'YYYYMMDD') FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
   WHERE i.inhparent = to_regclass('public.signals_' || of) ORDER BY 1
$$;

-- Remove one day of readings or of ids. Jobs only; a day that is younger than its least age stays.
CREATE OR REPLACE FUNCTION sangyu.signals_drop(of text, d date, youngest int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE name text := format('signals_%s_%s', of, to_char(d, 'YYYYMMDD'));
BEGIN
  IF current_setting('role', true) IS DISTINCT FROM 'sangyu_job' THEN RAISE EXCEPTION 'days are removed by a job'; END IF;
  IF of NOT IN ('reading', 'seen') OR youngest < 3 OR d > current_date - youngest THEN RETURN false; END IF;
  IF to_regclass('public.' || name) IS NULL THEN RETURN false; END IF;
  SET LOCAL lock_timeout = '5s';
  EXECUTE format('DROP TABLE public.%I', name);
  RETURN true;
END $$;
