import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('learning', '0100_predictions'),
        ('tree', '0300_before_code'),
        ('workspace', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='outcomereview',
            name='corners',
            field=models.TextField(blank=True, default=''),
        ),
        migrations.AddField(
            model_name='outcomereview',
            name='loved',
            field=models.TextField(blank=True, default=''),
        ),
        migrations.CreateModel(
            name='Debt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('text', models.CharField(max_length=500)),
                ('pay_if', models.CharField(choices=[('keep', 'it is kept')], default='keep', max_length=9)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('due_at', models.DateTimeField(blank=True, null=True)),
                ('due_reason', models.TextField(blank=True, default='')),
                ('closing', models.CharField(blank=True, choices=[('paid', 'paid'), ('void', 'nothing to pay')], default='', max_length=4)),
                ('closed_at', models.DateTimeField(blank=True, null=True)),
                ('close_reason', models.TextField(blank=True, default='')),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('product', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='workspace.product')),
                ('solution', models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name='debts', to='tree.solution')),
            ],
            options={
                'ordering': ['number'],
                'constraints': [models.UniqueConstraint(fields=('product', 'number'), name='learning_debt_number'), models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='learning_debt_says_what'), models.CheckConstraint(condition=models.Q(('pay_if__in', ['keep'])), name='learning_debt_pay_if'), models.CheckConstraint(condition=models.Q(models.Q(('due_at', None), ('due_reason', '')), models.Q(('due_at__isnull', False), models.Q(('due_reason', ''), _negated=True)), _connector='OR'), name='learning_debt_due_with_a_reason'), models.CheckConstraint(condition=models.Q(models.Q(('close_reason', ''), ('closed_at', None), ('closing', '')), models.Q(('closed_at__isnull', False), ('closing__in', ['paid', 'void']), models.Q(('close_reason', ''), _negated=True)), _connector='OR'), name='learning_debt_closed_with_a_reason')],
            },
        ),
    ]
