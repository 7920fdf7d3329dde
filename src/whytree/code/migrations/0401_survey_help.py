from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("code", "0400_mirrors")]

    operations = [
        migrations.AlterField(
            model_name="repository",
            name="survey",
            field=models.JSONField(blank=True, default=dict, help_text="What its files say: see code.surveying."),
        ),
    ]
