import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('learning', '0101_debts'),
        ('workspace', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='OutcomeGuard',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('metric_key', models.CharField(max_length=100)),
                ('up_is_good', models.BooleanField()),
                ('baseline', models.FloatField()),
                ('floor', models.FloatField()),
                ('people_a_watch', models.PositiveIntegerField()),
                ('watch_from', models.DateTimeField()),
                ('fine_at', models.DateTimeField()),
                ('looked_at', models.DateTimeField(blank=True, null=True)),
                ('value', models.FloatField(blank=True, null=True)),
                ('low', models.FloatField(blank=True, null=True)),
                ('high', models.FloatField(blank=True, null=True)),
                ('n', models.PositiveIntegerField(default=0)),
                ('broken_at', models.DateTimeField(blank=True, null=True)),
                ('ended_at', models.DateTimeField(blank=True, null=True)),
                ('end_reason', models.TextField(blank=True, default='')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspace.product')),
                ('review', models.OneToOneField(on_delete=django.db.models.deletion.RESTRICT, related_name='guard', to='learning.outcomereview')),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.CheckConstraint(condition=models.Q(('baseline__gte', 0), ('baseline__lte', 1), ('floor__gte', 0), ('floor__lte', 1)), name='learning_guard_shares'), models.CheckConstraint(condition=models.Q(models.Q(('end_reason', ''), ('ended_at', None)), models.Q(('ended_at__isnull', False), models.Q(('end_reason', ''), _negated=True)), _connector='OR'), name='learning_guard_ended_with_a_reason')],
            },
        ),
    ]
