import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('voice', '0600_meaning'),
        ('workspace', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='Board',
            fields=[
                ('product', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='workspace.product')),
                ('is_open', models.BooleanField(default=False)),
                ('intro', models.CharField(blank=True, max_length=2000)),
                ('indexable', models.BooleanField(default=False, help_text='Search engines may list it.')),
                ('webhook', models.CharField(blank=True, max_length=2000)),
                ('secret', models.CharField(blank=True, max_length=100)),
            ],
        ),
        migrations.CreateModel(
            name='Entry',
            fields=[
                ('item', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='board_entry', serialize=False, to='voice.feedbackitem')),
                ('kind', models.CharField(choices=[('post', 'Post'), ('comment', 'Comment'), ('vote', 'Vote')], max_length=7)),
                ('state', models.CharField(choices=[('waiting', 'Waits for a reader'), ('public', 'On the board'), ('refused', 'Not on the board')], default='waiting', max_length=7)),
                ('progress', models.CharField(choices=[('open', 'Under consideration'), ('planned', 'Planned'), ('building', 'In the works'), ('done', 'Done'), ('declined', 'Not planned')], default='open', max_length=8)),
                ('muted', models.BooleanField(default=False)),
                ('post', models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='below', to='voice.entry')),
            ],
            options={
                'indexes': [models.Index(fields=['kind', 'state'], name='voice_entry_kind_state')],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('kind__in', ['post', 'comment', 'vote'])), name='voice_entry_kind'),
                    models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'public', 'refused'])), name='voice_entry_state'),
                    models.CheckConstraint(condition=models.Q(('progress__in', ['open', 'planned', 'building', 'done', 'declined'])), name='voice_entry_progress'),
                    models.CheckConstraint(condition=models.Q(models.Q(('kind', 'post'), ('post', None)), models.Q(('kind__in', ['comment', 'vote']), ('post__isnull', False)), _connector='OR'), name='voice_entry_of_post'),
                ],
            },
        ),
        migrations.CreateModel(
            name='News',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('published', 'New'), ('progress', 'Status'), ('answer', 'Answer')], max_length=9)),
                ('progress', models.CharField(blank=True, choices=[('open', 'Under consideration'), ('planned', 'Planned'), ('building', 'In the works'), ('done', 'Done'), ('declined', 'Not planned')], max_length=8)),
                ('at', models.DateTimeField(default=django.utils.timezone.now)),
                ('told_webhook', models.BooleanField(default=False)),
                ('mailed', models.JSONField(default=list, help_text='Entries whose person got the mail: tried again, nobody gets it twice.')),
                ('post', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='news', to='voice.entry')),
                ('remark', models.OneToOneField(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='board_news', to='voice.remark')),
            ],
            options={
                'ordering': ('-at', '-pk'),
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('kind__in', ['published', 'progress', 'answer'])), name='voice_news_kind'),
                    models.CheckConstraint(condition=models.Q(('progress__in', ['', 'open', 'planned', 'building', 'done', 'declined'])), name='voice_news_progress'),
                ],
            },
        ),
    ]
