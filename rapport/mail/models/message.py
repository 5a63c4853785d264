"""One email."""

import uuid
from typing import ClassVar

from django.db import models

from rapport.mail.models.account import Account
from rapport.mail.models.thread import Thread


class Message(models.Model):
    """One email of one account: the same bytes in three folders are one message in three places."""

    class Reading(models.TextChoices):
        """How much of it could be read."""

        WHOLE = "whole"
        PARTLY = "partly"
        UNREADABLE = "unreadable"
        """Quarantined: the raw bytes are kept, and a better parser may try again (D17)."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    account = models.ForeignKey(Account, on_delete=models.CASCADE, related_name="messages")
    thread = models.ForeignKey(Thread, on_delete=models.PROTECT, related_name="messages")
    sha256 = models.CharField(max_length=64)
    """Of the raw bytes: identity within the account, and the key of the blob."""
    size = models.PositiveBigIntegerField()
    """Octets of the raw bytes."""
    internal_date = models.DateTimeField()
    """When the server received it (INTERNALDATE)."""
    date = models.DateTimeField(null=True)
    """What its Date header says, where that makes sense."""
    message_id = models.TextField(blank=True)
    """As in the header, with its brackets."""
    references = models.JSONField(default=list)
    """References and In-Reply-To, oldest first."""
    subject = models.TextField(blank=True)
    from_name = models.TextField(blank=True)
    from_address = models.CharField(max_length=320, blank=True)
    snippet = models.CharField(max_length=200, blank=True)
    files = models.PositiveIntegerField(default=0)
    """Attachments that are not pictures inside the text."""
    incoming = models.BooleanField(default=True)
    """Not from one of our own addresses."""
    automatic = models.BooleanField(default=False)
    """A machine or a list sent it."""
    sealed = models.CharField(max_length=10, blank=True)
    """``encrypted`` or ``signed``, else empty."""
    sealed_by = models.CharField(max_length=10, blank=True)
    """``S/MIME`` or ``PGP``."""
    reading = models.CharField(max_length=10, choices=Reading.choices, default=Reading.WHOLE)
    partly = models.JSONField(default=list)
    parser = models.PositiveSmallIntegerField(default=0)
    arrived_at = models.DateTimeField(auto_now_add=True)
    gone_since = models.DateTimeField(null=True)
    """In no folder any more."""

    objects: ClassVar[models.Manager["Message"]] = models.Manager()

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "sha256"], name="message_once")]
        indexes: ClassVar = [models.Index(fields=["thread", "internal_date"])]


class Body(models.Model):
    """What an email says, apart from its headers: read when it is opened."""

    message = models.OneToOneField(Message, on_delete=models.CASCADE, primary_key=True, related_name="body")
    head = models.TextField(blank=True)
    """Subject, people and names of files, for the full-text index."""
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    """Not cleaned: it is cleaned each time it is shown, by the newest rules."""
    invitation = models.JSONField(null=True)
    """The calendar entry it brings, as ``mime.message.Invitation``."""
    report = models.JSONField(null=True)
    """What became of an email sent before, as ``mime.message.Report``."""

    objects: ClassVar[models.Manager["Body"]] = models.Manager()


class Recipient(models.TextChoices):
    """In which header somebody stands."""

    FROM = "from"
    SENDER = "sender"
    REPLY_TO = "reply-to"
    TO = "to"
    CC = "cc"
    BCC = "bcc"


class Participant(models.Model):
    """Somebody named in a header of an email."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="participants")
    role = models.CharField(max_length=10, choices=Recipient.choices)
    name = models.TextField(blank=True)
    address = models.CharField(max_length=320, blank=True)
    """Lower case."""
    domain = models.CharField(max_length=253, blank=True)

    objects: ClassVar[models.Manager["Participant"]] = models.Manager()

    class Meta:
        indexes: ClassVar = [models.Index(fields=["address"]), models.Index(fields=["domain"])]


class Attachment(models.Model):
    """A file in an email. Its bytes stay in the raw message and are taken out when asked for."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="attachments")
    position = models.PositiveIntegerField()
    name = models.CharField(max_length=255)
    type = models.CharField(max_length=200)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    content_id = models.TextField(blank=True)
    inline = models.BooleanField(default=False)
    subject = models.TextField(blank=True)
    author = models.TextField(blank=True)
    """Of a forwarded email: its subject and who wrote it."""

    objects: ClassVar[models.Manager["Attachment"]] = models.Manager()
