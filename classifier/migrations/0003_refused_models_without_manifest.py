"""A refused model's record held whatever was given as its manifest; what was given stands in its admissions."""

from django.db import migrations


def forget(apps, schema_editor):
    records = apps.get_model("classifier", "ModelRecord").objects
    records.exclude(state__in=("ready", "retired")).update(manifest={})


class Migration(migrations.Migration):
    dependencies = [("classifier", "0002_history_indexes")]
    operations = [migrations.RunPython(forget, migrations.RunPython.noop)]
