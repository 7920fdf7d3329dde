from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("learning", "0200_guards_of_numbers")]

    operations = [
        migrations.AddField(
            model_name="outcomereview",
            name="despite",
            field=models.TextField(blank=True, default=""),
        ),
    ]
