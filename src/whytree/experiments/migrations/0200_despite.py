from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("experiments", "0100_decisions_and_bandits")]

    operations = [
        migrations.AddField(
            model_name="experiment",
            name="despite",
            field=models.TextField(blank=True, default=""),
        ),
    ]
