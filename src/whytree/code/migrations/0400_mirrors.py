import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('code', '0300_deployments_and_incidents'),
    ]

    operations = [
        migrations.CreateModel(
            name='Mirror',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('url', models.CharField(max_length=1000)),
                ('name', models.CharField(max_length=100)),
                ('with_code', models.BooleanField(default=False)),
                ('with_hunks', models.BooleanField(default=True)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('copying', 'Copying'), ('reading', 'Reading'), ('read', 'Read'), ('failed', 'Failed')], default='waiting', max_length=7)),
                ('says', models.CharField(blank=True, default='', help_text='How far it is, or why it failed.', max_length=300)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('tried_at', models.DateTimeField(blank=True, null=True)),
                ('read_at', models.DateTimeField(blank=True, null=True)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspace.product')),
                ('repository', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='mirrors', to='code.repository')),
            ],
            options={
                'ordering': ['name', 'id'],
                'constraints': [
                    models.UniqueConstraint(fields=('product', 'url'), name='code_mirror_once'),
                    models.CheckConstraint(condition=models.Q(('state__in', ['waiting', 'copying', 'reading', 'read', 'failed'])), name='code_mirror_state'),
                ],
            },
        ),
    ]
