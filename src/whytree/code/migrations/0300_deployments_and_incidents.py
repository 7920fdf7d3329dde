import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('code', '0200_event_references'),
    ]

    operations = [
        migrations.CreateModel(
            name='Deployment',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sent_id', models.CharField(help_text="The sender's: the same again is the same deployment.", max_length=250)),
                ('repo', models.CharField(blank=True, default='', help_text='As told: "github.com/acme/sprout".', max_length=300)),
                ('commit_sha', models.CharField(blank=True, default='', max_length=64)),
                ('version', models.CharField(blank=True, default='', help_text='Version, tag or branch.', max_length=200)),
                ('environment', models.CharField(default='production', max_length=60)),
                ('title', models.CharField(blank=True, default='', max_length=300)),
                ('url', models.URLField(blank=True, default='', max_length=1000)),
                ('result', models.CharField(choices=[('success', 'Success'), ('failure', 'Failure'), ('cancelled', 'Cancelled')], default='success', max_length=9)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField()),
                ('is_placed', models.BooleanField(default=False, help_text='Its commit was read in, so what it brought is known.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspace.product')),
                ('repository', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='deployments', to='code.repository')),
            ],
            options={
                'ordering': ['-finished_at', '-id'],
                'indexes': [models.Index(fields=['product', 'environment', 'finished_at'], name='code_deployment_when')],
                'constraints': [
                    models.UniqueConstraint(fields=('product', 'sent_id', 'repo'), name='code_deployment_once'),
                    models.CheckConstraint(condition=models.Q(('result__in', ['success', 'failure', 'cancelled'])), name='code_deployment_result'),
                    models.CheckConstraint(condition=models.Q(('finished_at__gte', models.F('started_at'))), name='code_deployment_times'),
                ],
            },
        ),
        migrations.CreateModel(
            name='Incident',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('key', models.CharField(help_text='Its id where it is kept.', max_length=200)),
                ('title', models.CharField(max_length=500)),
                ('status', models.CharField(choices=[('todo', 'open'), ('in_progress', 'in work'), ('done', 'resolved')], default='todo', max_length=11)),
                ('url', models.URLField(blank=True, default='', max_length=1000)),
                ('began_at', models.DateTimeField()),
                ('resolved_at', models.DateTimeField(blank=True, null=True)),
                ('is_unrelated', models.BooleanField(default=False, help_text='No deployment did it, as told.')),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('deployment', models.ForeignKey(blank=True, help_text='As told.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='incidents', to='code.deployment')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspace.product')),
            ],
            options={
                'ordering': ['-began_at', '-id'],
                'indexes': [models.Index(fields=['product', 'began_at'], name='code_incident_when')],
                'constraints': [
                    models.UniqueConstraint(fields=('product', 'key'), name='code_incident_once'),
                    models.CheckConstraint(condition=models.Q(('status__in', ['todo', 'in_progress', 'done'])), name='code_incident_status'),
                    models.CheckConstraint(condition=models.Q(('resolved_at', None), ('resolved_at__gte', models.F('began_at')), _connector='OR'), name='code_incident_times'),
                ],
            },
        ),
        migrations.AddField(
            model_name='commit',
            name='deployment',
            field=models.ForeignKey(blank=True, help_text='First live in it.', null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='commits', to='code.deployment'),
        ),
    ]
