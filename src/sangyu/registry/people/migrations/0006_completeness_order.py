from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0005_more_statuses"),
    ]

    operations = [
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["completeness", "id"], name="person_completeness"),
        ),
        # A kind has its own values: without this the planner multiplies the two and expects a hundredth of the rows.
        migrations.RunSQL(
            "CREATE STATISTICS person_fact_kind_value (mcv, dependencies) ON kind, value FROM people_personfact",
            "DROP STATISTICS IF EXISTS person_fact_kind_value",
        ),
    ]
