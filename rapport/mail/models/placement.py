"""Where a message lies, and what was not fetched."""

from typing import ClassVar

from django.db import models

from rapport.mail.models.folder import Folder
from rapport.mail.models.message import Message


class Placement(models.Model):
    """A message in a folder, with its flags there. The row goes when the server says it is gone."""

    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="placements")
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="placements")
    generation = models.PositiveIntegerField()
    uid = models.BigIntegerField()
    flags = models.JSONField(default=list)
    """All flags as IMAP spells them, sorted."""
    seen = models.BooleanField(default=False)
    flagged = models.BooleanField(default=False)
    draft = models.BooleanField(default=False)

    objects: ClassVar[models.Manager["Placement"]] = models.Manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["folder", "generation", "uid"], name="placement_once"),
        ]


class Skipped(models.Model):
    """A message the server lists and we do not hold, and why. Nothing is skipped silently (D17)."""

    class Reason(models.TextChoices):
        """Why."""

        PERIOD = "before the period"
        OBSERVED = "there before the first sync"
        LARGE = "too large"
        NOT_GIVEN = "listed but not given by the server"

    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="skipped")
    generation = models.PositiveIntegerField()
    uid = models.BigIntegerField()
    reason = models.CharField(max_length=40, choices=Reason.choices)
    size = models.PositiveBigIntegerField(default=0)
    internal_date = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField(auto_now=True)

    objects: ClassVar[models.Manager["Skipped"]] = models.Manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["folder", "generation", "uid"], name="skipped_once")]
