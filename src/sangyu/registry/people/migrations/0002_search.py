"""Substring search: two-character pieces of names and addresses in a GIN index (docs/rooms/people.md).

Trigrams need three characters; most Chinese searches have two.
"""

from django.db import migrations

FORWARD = """
CREATE SCHEMA IF NOT EXISTS sangyu;
CREATE OR REPLACE FUNCTION sangyu.bigrams(t text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS
$$ SELECT coalesce(array_agg(DISTINCT substr(lower(t), i, 2)), '{}') FROM generate_series(1, length(t) - 1) i $$;
CREATE INDEX person_name_bigrams ON people_person USING gin (sangyu.bigrams(name));
CREATE INDEX person_address_bigrams ON people_person USING gin (sangyu.bigrams(address));
"""
BACKWARD = "DROP INDEX person_name_bigrams; DROP INDEX person_address_bigrams;"


class Migration(migrations.Migration):
    dependencies = [("people", "0001_initial")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]
