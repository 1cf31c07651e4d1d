"""How many pairs of kind and value there are: reading a city's facts by them hashes a few hundred groups and sorts nothing."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("people", "0009_wandering")]
    operations = [
        migrations.RunSQL(
            "CREATE STATISTICS person_fact_groups (ndistinct) ON kind, value FROM people_personfact",
            "DROP STATISTICS IF EXISTS person_fact_groups",
        ),
    ]
