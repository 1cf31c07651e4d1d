-- Moves rows of one table from old to new paths in one statement; called by the services of regions only, as the job role.
-- Exact pairs move rows of the region itself, subtree pairs also those below. Definer: tables have different rules of sight.
CREATE OR REPLACE FUNCTION sangyu.move_paths(tbl regclass, col name, old text[], new text[], subtree boolean) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE n bigint;
BEGIN
  IF current_setting('role') <> 'sangyu_job' THEN
    RAISE EXCEPTION 'paths are moved by the regions services only' USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF subtree THEN
    EXECUTE format('UPDATE %1$s t SET %2$I = m.n || substr(t.%2$I, length(m.o) + 1) FROM unnest($1, $2) m(o, n) '
                   'WHERE t.%2$I >= m.o AND t.%2$I < m.o || ''~''', tbl, col) USING old, new;
  ELSE
    EXECUTE format('UPDATE %1$s t SET %2$I = m.n FROM unnest($1, $2) m(o, n) WHERE t.%2$I = m.o', tbl, col) USING old, new;
  END IF;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;

-- The same for foreign keys to a region that has ended.
CREATE OR REPLACE FUNCTION sangyu.move_region_ids(tbl regclass, col name, old bigint[], new bigint) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE n bigint;
BEGIN
  IF current_setting('role') <> 'sangyu_job' THEN
    RAISE EXCEPTION 'region ids are moved by the regions services only' USING ERRCODE = 'insufficient_privilege';
  END IF;
  EXECUTE format('UPDATE %1$s SET %2$I = $2 WHERE %2$I = ANY ($1)', tbl, col) USING old, new;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;
