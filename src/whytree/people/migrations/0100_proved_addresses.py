from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('people', '0002_erasures'),
    ]

    operations = [
        migrations.AddField(
            model_name='person',
            name='email_proved',
            field=models.BooleanField(default=False, help_text='A server key, the team or the person said it is theirs. To any other no mail goes by itself.'),
        ),
    ]
