from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("workspace", "0300_provider_accounts")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="sign_outs",
            field=models.PositiveIntegerField(
                default=0,
                help_text="How often all browsers were signed out at once; a session from before opens nothing.",
            ),
        ),
    ]
