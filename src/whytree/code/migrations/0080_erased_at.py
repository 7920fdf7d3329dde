from django.db import migrations, models

HELP = "Its author was forgotten: author and body are not taken again."


class Migration(migrations.Migration):
    dependencies = [("code", "0071_told_reason")]

    operations = [
        migrations.AddField("ticket", "erased_at", models.DateTimeField(blank=True, help_text=HELP, null=True)),
        migrations.AddField("pullrequest", "erased_at", models.DateTimeField(blank=True, help_text=HELP, null=True)),
    ]
