"""bf16 is gone: evaluations in it that are not done go on with the model's engine; done ones keep what they are."""

from django.db import migrations
from django.db.models import OuterRef, Subquery

RETIRED = "openvino-bf16"


def go_on_with_the_models_engine(apps, schema_editor):
    ModelRecord = apps.get_model("classifier", "ModelRecord")
    engine = ModelRecord.objects.filter(pk=OuterRef("model")).values("engine")
    rows = apps.get_model("evaluation", "Evaluation").objects.filter(engine=RETIRED)
    rows.exclude(state="done").update(engine=Subquery(engine), begun_at=None, stage="predicting")


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0006_fast_lane'),
        ('evaluation', '0004_map_check_at_admission'),
    ]

    operations = [
        migrations.RunPython(go_on_with_the_models_engine, migrations.RunPython.noop),
    ]
