import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tree', '0300_before_code'),
        ('voice', '0601_board'),
        ('workspace', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='UsabilityRound',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('title', models.CharField(max_length=140)),
                ('tasks', models.JSONField(default=list)),
                ('script', models.TextField(blank=True)),
                ('planned_for', models.DateField(null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspace.product')),
                ('retest_of', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='retests', to='voice.usabilityround')),
                ('solution', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tree.solution')),
            ],
            options={
                'ordering': ('-number',),
                'constraints': [models.UniqueConstraint(fields=('product', 'number'), name='voice_round_number')],
            },
        ),
        migrations.CreateModel(
            name='UsabilityProblem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('title', models.CharField(max_length=140)),
                ('severity', models.PositiveSmallIntegerField()),
                ('task', models.PositiveSmallIntegerField(null=True)),
                ('solution', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='tree.solution')),
                ('round', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='problems', to='voice.usabilityround')),
            ],
            options={
                'ordering': ('number',),
                'constraints': [
                    models.UniqueConstraint(fields=('round', 'number'), name='voice_problem_number'),
                    models.CheckConstraint(condition=models.Q(('severity__gte', 1), ('severity__lte', 4)), name='voice_problem_severity'),
                ],
            },
        ),
        migrations.CreateModel(
            name='UsabilitySession',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('held_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('outcomes', models.JSONField(default=dict)),
                ('interview', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='voice.interview')),
                ('round', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sessions', to='voice.usabilityround')),
            ],
            options={
                'ordering': ('number',),
                'constraints': [models.UniqueConstraint(fields=('round', 'number'), name='voice_session_number')],
            },
        ),
        migrations.CreateModel(
            name='ProblemSighting',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('note', models.CharField(blank=True, max_length=2000)),
                ('observer', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('problem', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sightings', to='voice.usabilityproblem')),
                ('session', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='sightings', to='voice.usabilitysession')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('problem', 'session', 'observer'), name='voice_sighting_once')],
            },
        ),
    ]
