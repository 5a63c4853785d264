"""A line nobody edits."""

from typing import ClassVar

from django.db import models


class Entry(models.Model):
    """One act: who, what, on what, when. Plain ids, so that it outlives what it names (R66)."""

    at = models.DateTimeField(auto_now_add=True)
    by = models.BigIntegerField(null=True)
    """User's primary key; null for the command line."""
    act = models.CharField(max_length=60)
    about = models.CharField(max_length=300)
    """What it was done to, in words without secrets."""
    ip = models.GenericIPAddressField(null=True)

    objects: ClassVar[models.Manager["Entry"]] = models.Manager()


def note(act: str, about: str, *, by: int | None, ip: str | None = None) -> None:
    """Write down that somebody did something."""
    Entry.objects.create(act=act, about=about[:300], by=by, ip=ip)
