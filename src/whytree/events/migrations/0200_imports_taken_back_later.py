from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("events", "0100_uploaded_imports")]

    operations = [
        migrations.AddField(
            "eventimport",
            "taken_back",
            models.PositiveSmallIntegerField(default=0, help_text="While it is taken back, how far, in percent."),
        ),
        migrations.AlterField(
            "eventimport",
            "state",
            models.CharField(
                choices=[
                    ("preview", "Preview"),
                    ("running", "Running"),
                    ("finished", "Finished"),
                    ("undoing", "Undoing"),
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
                condition=models.Q(state__in=("preview", "running", "finished", "undoing", "undone")),
                name="event_import_state_known",
            ),
        ),
    ]
