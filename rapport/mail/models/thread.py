"""Conversations."""

import uuid
from typing import ClassVar

from django.db import models

from rapport.mail.models.account import Account
from rapport.mail.models.folder import Folder


class Thread(models.Model):
    """A conversation of one account: the messages that answer each other (D13)."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="threads")
    joined_to = models.ForeignKey("self", null=True, on_delete=models.SET_NULL, related_name="+")
    """A late parent joined this thread to another: old addresses lead there."""

    objects: ClassVar[models.Manager["Thread"]] = models.Manager()


class KnownId(models.Model):
    """A Message-ID a thread holds or refers to: a late parent finds its children by it (RFC 5322, 3.6.4)."""

    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="+")
    digest = models.CharField(max_length=64)
    """SHA-256 of the Message-ID without brackets and white space: some are longer than an index allows."""
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="known_ids")

    objects: ClassVar[models.Manager["KnownId"]] = models.Manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "digest"], name="known_id_once")]


class Listing(models.Model):
    """A thread as one folder lists it: kept ready, so that a list of a million threads opens at once."""

    folder = models.ForeignKey(Folder, on_delete=models.CASCADE, related_name="listings")
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="listings")
    newest_at = models.DateTimeField()
    """INTERNALDATE of its newest message in this folder."""
    count = models.PositiveIntegerField()
    """Messages of the thread in this folder."""
    unread = models.PositiveIntegerField()
    flagged = models.BooleanField()
    draft = models.BooleanField()

    objects: ClassVar[models.Manager["Listing"]] = models.Manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["folder", "thread"], name="listing_once")]
        indexes: ClassVar = [models.Index(fields=["folder", "-newest_at", "-thread"])]
