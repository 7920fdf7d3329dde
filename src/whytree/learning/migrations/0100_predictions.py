import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('learning', '0001_initial'),
        ('tree', '0300_before_code'),
        ('workspace', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Prediction',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('discipline', models.CharField(choices=[('engineering', 'Engineering'), ('product', 'Product'), ('design', 'Design'), ('marketing', 'Marketing'), ('sales', 'Sales'), ('support', 'Support'), ('research', 'Research'), ('other', 'Other')], default='other', max_length=12)),
                ('low', models.FloatField()),
                ('likely', models.FloatField()),
                ('high', models.FloatField()),
                ('question_hash', models.CharField(max_length=64)),
                ('said_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('hypothesis', models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name='predictions', to='tree.hypothesis')),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspace.product')),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['pk'],
                'constraints': [models.UniqueConstraint(fields=('hypothesis', 'user'), name='learning_one_prediction_each'), models.CheckConstraint(condition=models.Q(('likely__lt', models.F('high')), ('low__lt', models.F('likely'))), name='learning_prediction_order'), models.CheckConstraint(condition=models.Q(('discipline__in', ['engineering', 'product', 'design', 'marketing', 'sales', 'support', 'research', 'other'])), name='learning_prediction_discipline')],
            },
        ),
    ]
