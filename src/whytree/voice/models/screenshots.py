"""The picture that came with a voice."""

import base64

from django.db import models
from django.utils import timezone

from whytree.engines.pictures import Picture

from .items import FeedbackItem


class Screenshot(models.Model):
    """One an item, as its sender cut it and blacked it out. `data` is base64, which every database and archive holds as it is."""

    item = models.OneToOneField(FeedbackItem, primary_key=True, on_delete=models.CASCADE, related_name="screenshot")
    media_type = models.CharField(max_length=20)
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    data = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"screenshot of {self.item_id}"

    @property
    def picture(self) -> Picture:
        return Picture(self.media_type, self.width, self.height)

    @property
    def content(self) -> bytes:
        return base64.b64decode(self.data)
