"""bf16 is gone: what admission measured of it too, and maps that its answers never had say why in another way."""

from django.db import migrations

CHECK, ERROR = "fast-lane", "no-maps-in-bf16"
RETIRED = {
    "code": "no-engine-for-maps",
    "message": "This answer was computed in bf16 by OpenVINO, which drew no maps and is no longer offered: a new case "
    "with this model has them.",
}


def forget_measurements(apps, schema_editor):
    ModelRecord = apps.get_model("classifier", "ModelRecord")
    for record in ModelRecord.objects.only("report", "measured").iterator():
        kept = [row for row in record.report if row["check"] != CHECK]
        graph = record.measured.get("graph") or {}
        if len(kept) < len(record.report) or "fast" in graph:
            graph.pop("fast", None)
            ModelRecord.objects.filter(pk=record.pk).update(report=kept, measured=record.measured)


def say_why(apps, schema_editor):
    apps.get_model("classifier", "Explanation").objects.filter(error__code=ERROR).update(error=RETIRED)


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0006_fast_lane'),
    ]

    operations = [
        migrations.RunPython(forget_measurements, migrations.RunPython.noop),
        migrations.RunPython(say_why, migrations.RunPython.noop),
        migrations.RemoveField(
            model_name='modelrecord',
            name='in_fast_lane',
        ),
    ]
