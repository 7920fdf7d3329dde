import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('voice', '0701_screenshots'),
        ('workspace', '0100_environments'),
    ]

    operations = [
        migrations.CreateModel(
            name='ReplyWays',
            fields=[
                ('product', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='workspace.product')),
                ('webhook', models.CharField(blank=True, max_length=2000)),
                ('secret', models.CharField(blank=True, max_length=100)),
                ('feed', models.CharField(blank=True, db_index=True, max_length=64)),
            ],
        ),
        migrations.AddField(
            model_name='status',
            name='tells',
            field=models.BooleanField(default=False),
        ),
        migrations.CreateModel(
            name='MeaningTalk',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('stamp', models.CharField(max_length=120)),
                ('lines', models.BinaryField()),
                ('codes', models.BinaryField()),
                ('space', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='talks', to='voice.meaningspace')),
                ('transcript', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='voice.transcript')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('space', 'transcript'), name='voice_meaning_talk')],
            },
        ),
        migrations.CreateModel(
            name='Reply',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('status', 'Status'), ('answer', 'Answer')], max_length=6)),
                ('status', models.CharField(blank=True, max_length=60)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('waits', models.BooleanField(default=True)),
                ('told_webhook', models.BooleanField(default=False)),
                ('mailed', models.JSONField(default=list, help_text='Items whose person got the mail: tried again, nobody gets it twice.')),
                ('item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='replies', to='voice.feedbackitem')),
                ('remark', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='reply', to='voice.remark')),
            ],
            options={
                'ordering': ('-at', '-pk'),
                'indexes': [models.Index(condition=models.Q(('waits', True)), fields=['at'], name='voice_reply_waits')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['status', 'answer'])), name='voice_reply_kind'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'status'), ('remark', None)), models.Q(('kind', 'answer'), ('remark__isnull', False), ('status', '')), _connector='OR'), name='voice_reply_one')],
            },
        ),
    ]
