import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0008_worker_losses'),
        ('evaluation', '0005_engine_of_the_model'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        *(
            migrations.RenameField(model_name=name, old_name='deaths', new_name='worker_losses')
            for name in ('comparison', 'dataset', 'evaluation', 'mapcheck', 'settingcheck')
        ),
        migrations.RenameField(model_name='dataset', old_name='decoded', new_name='done'),
        migrations.RenameField(model_name='dataset', old_name='summary', new_name='document'),
        migrations.RenameField(model_name='evaluation', old_name='hands', new_name='in_flight'),
        migrations.RenameField(model_name='evaluation', old_name='suspects', new_name='quarantined'),
        migrations.AddField(
            model_name='comparison',
            name='begun_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddField(
            model_name='comparison',
            name='done',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name='comparison',
            name='total',
            field=models.PositiveIntegerField(default=0, editable=False, help_text='Steps, as far as they are known.'),
        ),
        migrations.AddField(
            model_name='dataset',
            name='begun_at',
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AlterField(
            model_name='comparison',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='dataset',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='dataset',
            name='total',
            field=models.PositiveIntegerField(default=0, editable=False, help_text='Steps, as far as they are known.'),
        ),
        migrations.AlterField(
            model_name='evaluation',
            name='in_flight',
            field=models.JSONField(default=list, editable=False, help_text='The images that a worker is at.'),
        ),
        migrations.AlterField(
            model_name='evaluation',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='evaluation',
            name='quarantined',
            field=models.JSONField(default=list, editable=False, help_text='Those that were in flight when a worker died: they come alone.'),
        ),
        migrations.AlterField(
            model_name='evaluation',
            name='total',
            field=models.PositiveIntegerField(default=0, editable=False, help_text='Steps, as far as they are known.'),
        ),
        migrations.AlterField(
            model_name='mapcheck',
            name='busy_seconds',
            field=models.FloatField(default=0, editable=False, help_text='Spent by workers, all slices together.'),
        ),
        migrations.AlterField(
            model_name='mapcheck',
            name='owner',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='mapcheck',
            name='total',
            field=models.PositiveIntegerField(default=0, editable=False, help_text='Steps, as far as they are known.'),
        ),
        migrations.AlterField(
            model_name='settingcheck',
            name='done',
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AlterField(
            model_name='settingcheck',
            name='owner',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AlterField(
            model_name='settingcheck',
            name='total',
            field=models.PositiveIntegerField(default=0, editable=False, help_text='Steps, as far as they are known.'),
        ),
    ]
