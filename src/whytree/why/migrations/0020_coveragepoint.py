"""Shares of coverage, one row a reading."""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [("code", "0020_fileblame_stamp_nesting")]

    operations = [
        migrations.CreateModel(
            name="CoveragePoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("head", models.CharField(max_length=64)),
                ("lines", models.PositiveIntegerField()),
                ("by_rung", models.JSONField(default=dict, help_text='{"measured": 120, "tested": 0, ...}')),
                ("refuted", models.PositiveIntegerField(default=0)),
                ("unmeasured", models.PositiveIntegerField(default=0)),
                (
                    "repository",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="code.repository"
                    ),
                ),
            ],
            options={
                "ordering": ["-at", "-pk"],
                "indexes": [models.Index(fields=["repository", "-at"], name="why_coverage_at")],
            },
        ),
    ]
