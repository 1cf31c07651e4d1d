-- Questions about people that row-level security cannot answer fast or must not answer in rows (docs/rooms/people.md).

-- Ids of persons in the caller's scope whose name or address contains q (two characters or more). The index operator is not
-- leakproof, so under row-level security it would run after a scan; here the scope is applied inside.
-- Planned anew each time: a plan for any text reads ten times what a plan for this one does.
CREATE OR REPLACE FUNCTION sangyu.people_containing(q text, most integer) RETURNS SETOF bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public SET plan_cache_mode = force_custom_plan AS $$
DECLARE
  audience text := replace(current_setting('role'), 'sangyu_', '');
  low text := sangyu.scope_path();
  high text := sangyu.scope_path_end();
  pieces text[] := sangyu.bigrams(q);
BEGIN
  IF pieces = '{}' THEN
    RETURN;
  ELSIF audience IN ('staff', 'job') THEN
    RETURN QUERY
      SELECT found.id FROM (
        SELECT p.id FROM people_person p
         WHERE sangyu.bigrams(p.name) @> pieces AND strpos(lower(p.name), lower(q)) > 0 AND p.path >= low AND p.path < high
           AND p.merged_into_id IS NULL
        UNION ALL  -- so that it stops at the limit; a person may come twice
        SELECT p.id FROM people_person p
         WHERE sangyu.bigrams(p.address) @> pieces AND strpos(lower(p.address), lower(q)) > 0
           AND p.path >= low AND p.path < high AND p.merged_into_id IS NULL) found
      LIMIT most;
  ELSIF audience IN ('provider', 'worker', 'family') THEN
    RETURN QUERY
      SELECT p.id FROM people_person p
       WHERE p.id = ANY (ARRAY(SELECT sangyu.shared_ids('person'))) AND p.merged_into_id IS NULL
         AND (strpos(lower(p.name), lower(q)) > 0 OR strpos(lower(p.address), lower(q)) > 0)
       LIMIT most;
  END IF;
END $$;

-- Whether somebody has this ID number anywhere: yes or no, nothing else.
CREATE OR REPLACE FUNCTION sangyu.person_exists(wanted bytea) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$ SELECT EXISTS (SELECT 1 FROM people_person WHERE id_index = wanted) $$;

-- The same for many at once (imports): those of the given ones that exist.
CREATE OR REPLACE FUNCTION sangyu.persons_existing(wanted bytea[]) RETURNS SETOF bytea
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS
$$ SELECT id_index FROM people_person WHERE id_index = ANY (wanted) $$;

-- The file that a merged one leads to (ADR 0013): an id, nothing else; chains are followed.
CREATE OR REPLACE FUNCTION sangyu.person_survivor(wanted bigint) RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public AS $$
  WITH RECURSIVE up(id, next) AS (
    SELECT id, merged_into_id FROM people_person WHERE id = wanted
    UNION ALL SELECT p.id, p.merged_into_id FROM people_person p JOIN up ON p.id = up.next)
  SELECT id FROM up WHERE next IS NULL
$$;
