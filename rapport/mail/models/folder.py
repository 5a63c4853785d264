"""A folder of a mailbox, and how far it was read."""

import uuid
from typing import ClassVar

from django.db import models

from rapport.mail.models.account import Account


class Folder(models.Model):
    """A folder on the server: what it is for, whether people see it here, and where its sync stopped."""

    class Role(models.TextChoices):
        """What it is for; the same words as ``providers.contract.Role``."""

        INBOX = "inbox"
        SENT = "sent"
        DRAFTS = "drafts"
        ARCHIVE = "archive"
        TRASH = "trash"
        SPAM = "spam"
        ALL = "all"
        FLAGGED = "flagged"
        NONE = ""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="folders")
    wire = models.BinaryField()
    """The name as the server spells it."""
    name = models.TextField()
    """Decoded for people."""
    delimiter = models.CharField(max_length=4, blank=True)
    role = models.CharField(max_length=10, choices=Role.choices, blank=True)
    active = models.BooleanField(default=True)
    """Seen here and synced (S23)."""
    gone_at = models.DateTimeField(null=True)
    """The server no longer lists it."""

    generation = models.PositiveIntegerField(default=0)
    """Raised when the server rebuilt the folder (a new UIDVALIDITY)."""
    uidvalidity = models.BigIntegerField(null=True)
    uidnext = models.BigIntegerField(default=0)
    modseq = models.BigIntegerField(default=0)
    floor = models.BigIntegerField(default=0)
    """UIDNEXT at the first look of this generation: below it the period decides, from it on everything is wanted."""
    known = models.TextField(blank=True)
    """Every UID the server lists, also outside the period, as ranges."""
    pending = models.TextField(blank=True)
    """UIDs still to fetch, as ranges. A bookmark and what it left to do are saved together."""
    left = models.PositiveIntegerField(default=0)
    """How many ``pending`` names."""
    window = models.PositiveIntegerField(default=0)
    """How many the first sync had to fetch: what progress counts."""
    looked_at = models.DateTimeField(null=True)
    doubts = models.PositiveSmallIntegerField(default=0)
    """How far the server's own account of changes is believed (``providers.contract.Bookmark``)."""
    swept_recent = models.DateTimeField(null=True)
    swept_whole = models.DateTimeField(null=True)
    swept_below = models.BigIntegerField(default=0)
    """How far a sweep of flags has come, where there are no mod-sequences (``providers.contract.Sweep``)."""
    rebuilds = models.PositiveSmallIntegerField(default=0)
    """How often the server rebuilt it since ``rebuilt_since``: some do at every connection."""
    rebuilt_since = models.DateTimeField(null=True)
    trouble = models.TextField(blank=True)
    """What is wrong with this folder alone, in a sentence for people."""

    objects: ClassVar[models.Manager["Folder"]] = models.Manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "wire"], name="folder_once")]

    def __str__(self) -> str:
        return self.name

    @property
    def leaf(self) -> str:
        """The last step of its path."""
        return self.name.rsplit(self.delimiter, 1)[-1] if self.delimiter else self.name

    @property
    def observed(self) -> bool:
        """Trash and spam: not filled at the first sync, followed afterwards (S22)."""
        return self.role in (self.Role.TRASH, self.Role.SPAM)
