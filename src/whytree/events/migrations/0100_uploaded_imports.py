from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0004_tracking_plan")]

    operations = [
        migrations.AddField(
            "eventimport",
            "upload",
            models.CharField(blank=True, default="", help_text="The file in the data folder while it is read.", max_length=80),
            preserve_default=False,
        ),
        migrations.AddField(
            "eventimport",
            "reading",
            models.JSONField(default=dict, help_text="How an uploaded file is to be read."),
        ),
        migrations.AlterField(
            "eventimport",
            "state",
            models.CharField(
                choices=[
                    ("preview", "Preview"),
                    ("running", "Running"),
                    ("finished", "Finished"),
                    ("undone", "Undone"),
                ],
                default="running",
                max_length=8,
            ),
        ),
        migrations.RemoveConstraint("eventimport", "event_import_state_known"),
        migrations.AddConstraint(
            "eventimport",
            models.CheckConstraint(
                condition=models.Q(state__in=("preview", "running", "finished", "undone")),
                name="event_import_state_known",
            ),
        ),
    ]
