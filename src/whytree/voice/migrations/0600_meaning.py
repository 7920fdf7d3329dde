import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('voice', '0501_feedback_from_pages'),
    ]

    operations = [
        migrations.CreateModel(
            name='MeaningSpace',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('version', models.PositiveSmallIntegerField()),
                ('model', models.CharField(blank=True, max_length=400)),
                ('data', models.BinaryField()),
                ('learnt_from', models.PositiveIntegerField(help_text='Voices there were when it was learnt.')),
                ('newest', models.PositiveBigIntegerField(default=0)),
                ('has_holes', models.BooleanField(default=False)),
                ('ready', models.BooleanField(default=False)),
                ('made_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspace.product')),
            ],
        ),
        migrations.CreateModel(
            name='MeaningShard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('first', models.PositiveBigIntegerField()),
                ('last', models.PositiveBigIntegerField()),
                ('ids', models.BinaryField()),
                ('codes', models.BinaryField()),
                ('revision', models.PositiveIntegerField(default=1)),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shards', to='voice.meaningspace')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('space', 'number'), name='voice_meaning_shard')],
            },
        ),
    ]
