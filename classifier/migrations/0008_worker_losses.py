from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('classifier', '0007_one_precision'),
    ]

    operations = [
        migrations.RenameField(model_name=name, old_name='deaths', new_name='worker_losses')
        for name in ('admission', 'explanationjob', 'prediction')
    ]
