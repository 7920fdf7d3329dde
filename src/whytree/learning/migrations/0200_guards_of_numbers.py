from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('learning', '0102_guards'),
    ]

    operations = [
        migrations.AddField(
            model_name='outcomeguard',
            name='basis',
            field=models.CharField(choices=[('share', 'share of people'), ('a_day', 'per active person and day'), ('ratio', 'one sum over another')], default='share', max_length=5),
        ),
        migrations.RemoveConstraint(
            model_name='outcomeguard',
            name='learning_guard_shares',
        ),
        migrations.AddConstraint(
            model_name='outcomeguard',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('baseline__gte', 0), ('baseline__lte', 1), ('basis', 'share'), ('floor__gte', 0), ('floor__lte', 1)), ('basis__in', ['a_day', 'ratio']), _connector='OR'), name='learning_guard_shares'),
        ),
    ]
