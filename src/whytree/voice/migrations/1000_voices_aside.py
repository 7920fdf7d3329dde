from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):

    dependencies = [
        ('voice', '0900_tell_by_itself'),
    ]

    operations = [
        migrations.AddIndex(
            model_name='feedbackitem',
            index=models.Index(
                fields=['product', 'merged_into', 'snoozed_until'],
                name='voice_feedback_aside',
                condition=Q(handled_at=None) & (Q(snoozed_until__isnull=False) | Q(merged_into__isnull=False)),
            ),
        ),
    ]
