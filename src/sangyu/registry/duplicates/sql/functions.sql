-- The longest path that two paths share, in whole levels: the lowest region that sees both files.
CREATE OR REPLACE FUNCTION sangyu.common_path(a text, b text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
  SELECT CASE WHEN a = b THEN a ELSE coalesce((SELECT left(a, n) FROM unnest(ARRAY[24,21,18,15,12,9,6,3]) n
    WHERE length(a) >= n AND length(b) >= n AND left(a, n) = left(b, n) LIMIT 1), '') END
$$;
