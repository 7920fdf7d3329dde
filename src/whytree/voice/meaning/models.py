"""Where voices lie in a space, some thousands a row."""

from django.db import models
from django.utils import timezone

from whytree.voice.interviews.models import Transcript
from whytree.workspace.models import Product

SHARD = 4_096
"""Voices of one row: 400 kB. One that came in changes one row, and a search reads again what changed."""


class MeaningSpace(models.Model):
    """A space of a product's voices (`engines.meaning`). `ready` once every voice has its place; the newest ready one is asked.

    `model` is the sentence model that reads, "" where the words alone do. `newest` is the last voice that was placed;
    `has_holes`: some before it may be missing, so that all have to be looked through.
    `learnt_from` 0: somebody it was learnt from was forgotten since, and it makes room for another.
    """

    made_again = True  # by a job: no archive holds it

    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="+")
    version = models.PositiveSmallIntegerField()
    model = models.CharField(max_length=400, blank=True)
    data = models.BinaryField()
    learnt_from = models.PositiveIntegerField(help_text="Voices there were when it was learnt.")
    newest = models.PositiveBigIntegerField(default=0)
    has_holes = models.BooleanField(default=False)
    ready = models.BooleanField(default=False)
    made_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"meaning of {self.product}"


class MeaningShard(models.Model):
    """`ids` are primary keys of voices (int64, 0: nobody's any more), `codes` one row of bytes each; between `first` and `last`."""

    made_again = True

    space = models.ForeignKey(MeaningSpace, on_delete=models.CASCADE, related_name="shards")
    number = models.PositiveIntegerField()
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()
    ids = models.BinaryField()
    codes = models.BinaryField()
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = (models.UniqueConstraint(fields=("space", "number"), name="voice_meaning_shard"),)

    def __str__(self) -> str:
        return f"{self.space_id}/{self.number}"


class MeaningTalk(models.Model):
    """The passages of one talk: `lines` are where each begins (int32, from 1), `codes` one row of bytes each.

    `stamp` says which words of the transcript they are of.
    """

    made_again = True

    space = models.ForeignKey(MeaningSpace, on_delete=models.CASCADE, related_name="talks")
    transcript = models.ForeignKey(Transcript, on_delete=models.CASCADE, related_name="+")
    stamp = models.CharField(max_length=120)
    lines = models.BinaryField()
    codes = models.BinaryField()

    class Meta:
        constraints = (models.UniqueConstraint(fields=("space", "transcript"), name="voice_meaning_talk"),)

    def __str__(self) -> str:
        return f"{self.space_id}: talk {self.transcript_id}"
