from django.db import migrations

#: Ids go to the day's partition by COPY, as readings do; days made from now on get this with their making.
GRANTS = """
DO $$ DECLARE day regclass; BEGIN
  FOR day IN SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.signals_seen'::regclass LOOP
    EXECUTE format('GRANT INSERT ON %s TO sangyu_job', day);
  END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    dependencies = [("signals", "0001_initial")]
    operations = [migrations.RunSQL(GRANTS, migrations.RunSQL.noop)]
