import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("people", "0013_health_notes"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="person", name="person_birth_name"),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["birth_date", "sex", "name"], name="person_birth_name"),
        ),
        migrations.AddIndex(
            model_name="personfact",
            index=models.Index(fields=["subject", "kind"], name="person_fact_subject"),
        ),
        migrations.AlterField(
            model_name="personfact",
            name="subject",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="facts",
                to="people.person",
            ),
        ),
    ]
