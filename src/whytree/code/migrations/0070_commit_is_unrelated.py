from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("code", "0050_flag_references_and_form_fields")]

    operations = [
        migrations.AddField(
            model_name="commit",
            name="is_unrelated",
            field=models.BooleanField(
                default=False, help_text="It came with another repository's history, whose ticket numbers are not ours."
            ),
        ),
    ]
