-- Writers of a merge (docs/adr/0013-duplicates-and-merge.md): as the job role only, on tables of any room, ledger included.
-- Definer, because rows of both sides may lie in regions of their time and the ledger's tables have no other writer.
CREATE OR REPLACE FUNCTION sangyu.merge_role() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF current_setting('role') <> 'sangyu_job' THEN
    RAISE EXCEPTION 'rows are merged by the merging mechanism only' USING ERRCODE = 'insufficient_privilege';
  END IF;
END $$;

-- SET list for the columns named in patches: those a row's own patch does not name keep their value.
CREATE OR REPLACE FUNCTION sangyu.merge_columns(patches jsonb[]) RETURNS text LANGUAGE sql IMMUTABLE AS $$
  SELECT string_agg(format('%1$I = CASE WHEN p.patch ? %1$L THEN r.%1$I ELSE t.%1$I END', key), ', ' ORDER BY key)
    FROM (SELECT DISTINCT key FROM unnest(patches) q, jsonb_object_keys(q) key) keys
$$;

-- Writes patches {column: value} into rows of one table; keeps each row before and after under the merge.
CREATE OR REPLACE FUNCTION sangyu.merge_update(a_merge bigint, tbl regclass, ids bigint[], patches jsonb[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE n bigint;
BEGIN
  PERFORM sangyu.merge_role();
  EXECUTE format('INSERT INTO merging_mergedrow (merge_id, table_name, row_id, op, before) '
    'SELECT $1, $2, x.id, ''U'', x.j FROM (SELECT t.id, to_jsonb(t) AS j FROM %s t WHERE t.id = ANY ($3) ORDER BY t.id FOR UPDATE) x', tbl)
    USING a_merge, tbl::text, ids;
  EXECUTE format('UPDATE %1$s t SET %2$s FROM unnest($1, $2) p(id, patch), '
    'LATERAL jsonb_populate_record(NULL::%1$s, p.patch) r WHERE t.id = p.id', tbl, sangyu.merge_columns(patches)) USING ids, patches;
  GET DIAGNOSTICS n = ROW_COUNT;
  EXECUTE format('UPDATE merging_mergedrow m SET after = to_jsonb(t) FROM %s t '
    'WHERE m.merge_id = $1 AND m.table_name = $2 AND m.row_id = t.id AND m.after IS NULL', tbl) USING a_merge, tbl::text;
  RETURN n;
END $$;

-- Inserts whole rows with fresh ids.
CREATE OR REPLACE FUNCTION sangyu.merge_insert(a_merge bigint, tbl regclass, wanted jsonb[]) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE n bigint;
BEGIN
  PERFORM sangyu.merge_role();
  EXECUTE format('WITH made AS (INSERT INTO %1$s SELECT r.* FROM unnest($3) w(j), LATERAL jsonb_populate_record(NULL::%1$s, '
    'w.j || jsonb_build_object(''id'', nextval(pg_get_serial_sequence($2, ''id'')))) r RETURNING *) '
    'INSERT INTO merging_mergedrow (merge_id, table_name, row_id, op, after) SELECT $1, $2, made.id, ''I'', to_jsonb(made) FROM made', tbl)
    USING a_merge, tbl::text, wanted;
  GET DIAGNOSTICS n = ROW_COUNT;
  RETURN n;
END $$;

-- Puts rows back one after the other; patch NULL deletes the row. What a constraint forbids is answered, not raised.
CREATE OR REPLACE FUNCTION sangyu.merge_undo(tables text[], ids bigint[], patches jsonb[])
RETURNS TABLE (n integer, constraint_name text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
  PERFORM sangyu.merge_role();
  SET CONSTRAINTS ALL IMMEDIATE;
  FOR i IN 1 .. coalesce(cardinality(ids), 0) LOOP
    BEGIN
      IF patches[i] IS NULL THEN
        EXECUTE format('DELETE FROM %s WHERE id = $1', tables[i]::regclass) USING ids[i];
      ELSE
        EXECUTE format('UPDATE %1$s t SET %2$s FROM (SELECT $2 AS patch) p, LATERAL jsonb_populate_record(NULL::%1$s, p.patch) r '
          'WHERE t.id = $1', tables[i]::regclass, sangyu.merge_columns(ARRAY[patches[i]])) USING ids[i], patches[i];
      END IF;
    EXCEPTION WHEN integrity_constraint_violation OR unique_violation OR exclusion_violation OR check_violation
                OR foreign_key_violation OR restrict_violation OR not_null_violation THEN
      GET STACKED DIAGNOSTICS constraint_name = CONSTRAINT_NAME;
      n := i;
      RETURN NEXT;
    END;
  END LOOP;
  SET CONSTRAINTS ALL DEFERRED;
END $$;
