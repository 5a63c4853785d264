"""A mailbox we are connected to."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models

from rapport.people.models import User


class AccountQuery(models.QuerySet["Account"]):
    """Accounts by what may be done with them."""

    def open_to(self, user: User) -> "AccountQuery":
        """Those this person reads in: shared ones, and their own (S5, S8)."""
        return self.filter(models.Q(kind=Account.Kind.SHARED) | models.Q(owner=user))


class Account(models.Model):
    """A mailbox: shared by everybody, or one person's own."""

    class Kind(models.TextChoices):
        """Whose it is (S2)."""

        SHARED = "shared"
        PERSONAL = "personal"

    class State(models.TextChoices):
        """How it is."""

        NEW = "new"
        """Connected, first sync not finished."""
        OK = "ok"
        UNREACHED = "unreached"
        """Not reached for now; trying again by itself (D7)."""
        REFUSED = "refused"
        """The sign-in was refused: disabled until a person re-connects (S29)."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    address = models.CharField(max_length=254, unique=True)
    """Lower case."""
    kind = models.CharField(max_length=10, choices=Kind.choices)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="accounts")
    """Whose mailbox it is (personal) or who connected it (shared; null from the command line)."""
    color = models.PositiveSmallIntegerField(default=1)
    """1 to 6: the mailbox's colour beside its name."""

    username = models.CharField(max_length=254, blank=True)
    """Only where it differs from the address (S17)."""
    incoming_host = models.CharField(max_length=253)
    incoming_port = models.PositiveIntegerField()
    incoming_security = models.CharField(max_length=10)
    incoming_pin = models.CharField(max_length=64, blank=True)
    """SHA-256 of the one untrusted certificate that was allowed (D8)."""
    outgoing_host = models.CharField(max_length=253)
    outgoing_port = models.PositiveIntegerField()
    outgoing_security = models.CharField(max_length=10)
    outgoing_pin = models.CharField(max_length=64, blank=True)

    sync_from = models.DateTimeField(null=True)
    """The start of the period (S14); null for everything. Fixed (S15)."""
    create_contacts = models.BooleanField(default=False)
    connected_at = models.DateTimeField(auto_now_add=True)

    state = models.CharField(max_length=10, choices=State.choices, default=State.NEW)
    trouble = models.TextField(blank=True)
    """What is wrong, in a sentence for people."""
    said = models.CharField(max_length=200, blank=True)
    """The server's own words about it."""
    trouble_since = models.DateTimeField(null=True)
    synced_at = models.DateTimeField(null=True)
    """When the last complete pass ended."""
    attempts = models.PositiveIntegerField(default=0)
    """Failed passes in a row."""
    refusals = models.PositiveSmallIntegerField(default=0)
    """Refused sign-ins in a row: the second disables (D7)."""
    next_pass = models.DateTimeField(null=True)
    """Not before; null for as soon as possible."""

    holder = models.CharField(max_length=300, blank=True)
    """Which process that is: machine, pid, birth. A dead process of the same machine holds nothing."""
    held_until = models.DateTimeField(null=True)
    """Until when a worker holds it. The moment itself is the fencing token: it only grows, and a commit compares it."""

    objects: ClassVar[AccountQuery] = AccountQuery.as_manager()  # type: ignore[assignment]  # a queryset as manager

    def __str__(self) -> str:
        return self.address

    @property
    def short(self) -> str:
        """``sales@`` where that says enough."""
        return self.address.partition("@")[0] + "@"

    @property
    def shared(self) -> bool:
        """Open to everybody with the shared inbox."""
        return self.kind == self.Kind.SHARED
