import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('experiments', '0002_rollouts'),
        ('flags', '0100_environments_and_approvals'),
        ('workspace', '0001_initial'),
    ]

    operations = [
        migrations.AddField(
            model_name='rollout',
            name='decision',
            field=models.TextField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name='rollout',
            name='decided_at',
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name='Bandit',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('metric_key', models.CharField(max_length=100)),
                ('weights', models.JSONField()),
                ('started_at', models.DateTimeField()),
                ('looked_at', models.DateTimeField(blank=True, null=True)),
                ('says', models.TextField(blank=True, default='')),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('end_reason', models.TextField(blank=True, default='')),
                ('flag', models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name='bandits', to='flags.flag')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspace.product')),
            ],
            options={
                'ordering': ['-started_at', '-pk'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('ended_at', None)), fields=('flag',), name='experiments_one_bandit_each_flag'), models.CheckConstraint(condition=models.Q(models.Q(('end_reason', ''), ('ended_at', None)), models.Q(('ended_at__isnull', False), models.Q(('end_reason', ''), _negated=True)), _connector='OR'), name='experiments_bandit_ended_with_a_reason')],
            },
        ),
    ]
