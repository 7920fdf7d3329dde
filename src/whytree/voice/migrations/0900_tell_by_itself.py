from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('voice', '0800_replies_and_talks'),
    ]

    operations = [
        migrations.AddField(
            model_name='loop',
            name='tells',
            field=models.BooleanField(default=False, help_text='Each of them is told by mail, by itself, when it reaches them.'),
        ),
        migrations.AddField(
            model_name='requester',
            name='refused_at',
            field=models.DateTimeField(help_text='When a mail that went by itself was last refused for good.', null=True),
        ),
    ]
