"""Where each raw message lies."""

from typing import ClassVar

from django.db import models


class Blob(models.Model):
    """Some bytes, known by their hash: in which pack they lie, from where, and how long they are there."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    """Of the bytes themselves, lower-case hexadecimal."""
    pack = models.CharField(max_length=32)
    offset = models.BigIntegerField()
    length = models.BigIntegerField()
    """Octets in the pack, compressed."""

    objects: ClassVar[models.Manager["Blob"]] = models.Manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["pack", "offset"])]
