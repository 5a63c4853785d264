"""Something changed; whoever hears it asks again through ``access``."""

from datetime import timedelta
from typing import ClassVar

from django.db import models
from django.utils.timezone import now

KEEP = timedelta(days=2)


class Event(models.Model):
    """One change: its kind, and the numbers of what it touched."""

    class Kind(models.TextChoices):
        """What can happen."""

        THREAD = "thread"
        """A thread has new, changed or fewer messages."""
        ACCOUNT = "account"
        """An account's state, folders or progress changed."""
        CONTACT = "contact"
        """A contact, or what is associated with it, changed."""
        COMPANY = "company"
        """A company, or what is associated with it, changed."""

    kind = models.CharField(max_length=10, choices=Kind.choices)
    account = models.BigIntegerField(null=True)
    """Whose mail it is about; null for records."""
    about = models.BigIntegerField()
    """Primary key of the thread, account, contact or company."""
    arrived = models.BooleanField(default=False)
    """Thread: an email has come in that nobody has seen before."""
    at = models.DateTimeField(default=now)

    objects: ClassVar[models.Manager["Event"]] = models.Manager()


def newest() -> int:
    """The number of the last event: where a page's stream begins."""
    return Event.objects.aggregate(newest=models.Max("pk"))["newest"] or 0


def after(number: int, most: int) -> list[Event]:
    """What happened after that event, oldest first, at most so many. Who may hear of it, ``access`` says."""
    return list(Event.objects.filter(pk__gt=number).order_by("pk")[:most])


def forget_old() -> None:
    """Drop what every open page has long heard."""
    Event.objects.filter(at__lt=now() - KEEP).delete()
