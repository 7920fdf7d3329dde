"""What a clone told of a file, so that only what changed travels, and how nested the file is."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("code", "0001_initial")]

    operations = [
        migrations.AddField(
            model_name="fileblame",
            name="stamp",
            field=models.CharField(
                blank=True,
                default="",
                help_text="Changes when anything that its clone tells of it does.",
                max_length=64,
            ),
        ),
        migrations.AddField(
            model_name="fileblame",
            name="nesting",
            field=models.PositiveIntegerField(
                default=0, help_text="Indentation levels of all its lines, added up."
            ),
        ),
    ]
