"""A thing to do, not before some time."""

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.utils.timezone import now

LEASE = timedelta(minutes=5)


class DueQuery(models.QuerySet["Due"]):
    """Rows by when they are due."""

    def due(self, at: datetime | None = None) -> "DueQuery":
        """What may be taken now."""
        return self.filter(not_before__lte=at or now()).order_by("not_before", "pk")


class Due(models.Model):
    """One thing to do: which kind, about which row, and not before when."""

    kind = models.CharField(max_length=40)
    about = models.BigIntegerField()
    """The primary key of what it is about; the kind says of which model."""
    not_before = models.DateTimeField(default=now)
    attempts = models.PositiveIntegerField(default=0)
    trouble = models.TextField(blank=True)

    objects: ClassVar[models.Manager["Due"]] = DueQuery.as_manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["kind", "about"], name="due_once")]
        indexes: ClassVar = [models.Index(fields=["not_before"])]

    def take(self) -> bool:
        """Put this off for a while, and say whether it was us who did (the claim lapses by itself)."""
        mine = Due.objects.filter(pk=self.pk, not_before=self.not_before)
        until = now() + LEASE
        if mine.update(not_before=until, attempts=models.F("attempts") + 1) != 1:
            return False
        self.not_before = until
        return True


def ask(kind: str, about: int) -> None:
    """Have something done soon. Asking twice is asking once; asking while it runs has it run again."""
    Due.objects.update_or_create(kind=kind, about=about, defaults={"not_before": now(), "attempts": 0})
