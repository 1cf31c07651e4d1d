from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0010_fact_groups"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="personfact", name="person_fact_live"),
        migrations.AddIndex(
            model_name="personfact",
            index=models.Index(
                condition=models.Q(("superseded_at__isnull", True)),
                fields=["kind", "value", "path"],
                include=["subject", "valid_from", "valid_to"],
                name="person_fact_live",
            ),
        ),
    ]
