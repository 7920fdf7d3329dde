from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("analytics", "0200_definition_imports_and_metric_cards")]

    operations = [
        migrations.AddField(
            model_name="board",
            name="since",
            field=models.DateField(
                blank=True, help_text="In place of days back; in it, by the product's calendar.", null=True
            ),
        ),
        migrations.AddField(model_name="board", name="until", field=models.DateField(blank=True, null=True)),
    ]
