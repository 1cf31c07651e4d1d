"""Files that were merged into another (ADR 0013), and an index for the same birthday and surname."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("people", "0002_search")]
    operations = [
        migrations.AddField(
            model_name="person",
            name="merged_into",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="people.person",
            ),
        ),
        migrations.AddConstraint(
            model_name="person",
            constraint=models.CheckConstraint(
                name="person_tombstone_has_no_numbers",
                condition=Q(merged_into__isnull=True) | Q(id_index__isnull=True, phone_index__isnull=True),
            ),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(fields=["birth_date", "name"], name="person_birth_name"),
        ),
        migrations.AddIndex(
            model_name="person",
            index=models.Index(
                fields=["merged_into"], name="person_merged", condition=Q(merged_into__isnull=False)
            ),
        ),
    ]
