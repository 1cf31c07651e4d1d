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

-- Both at once for regions that end: one statement a table, since every further one writes each row again.
CREATE OR REPLACE FUNCTION sangyu.move_rows(tbl regclass, pathcol name, idcol name, old text[], new text, ids bigint[], id bigint)
RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE n bigint;
BEGIN
  IF current_setting('role') <> 'sangyu_job' THEN
    RAISE EXCEPTION 'rows are moved by the regions services only' USING ERRCODE = 'insufficient_privilege';
  END IF;
  EXECUTE format('UPDATE %1$s SET %2$I = CASE WHEN %2$I = ANY ($1) THEN $2 ELSE %2$I END, '
                 '%3$I = CASE WHEN %3$I = ANY ($3) THEN $4 ELSE %3$I END WHERE %2$I = ANY ($1) OR %3$I = ANY ($3)',
                 tbl, pathcol, idcol) USING old, new, ids, id;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;

-- Rows of one table at and under each of the paths: the totals before and after a change of the tree.
CREATE OR REPLACE FUNCTION sangyu.count_paths(tbl regclass, col name, paths text[]) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE n bigint;
BEGIN
  IF current_setting('role') <> 'sangyu_job' THEN
    RAISE EXCEPTION 'rows are counted by the regions services only' USING ERRCODE = 'insufficient_privilege';
  END IF;
  EXECUTE format('SELECT count(*) FROM unnest($1) p CROSS JOIN LATERAL (SELECT 1 FROM %1$s t '
                 'WHERE t.%2$I >= p AND t.%2$I < p || ''~'') x', tbl, col) INTO n USING paths;
  RETURN n;
END $$;
