"""Secrets at rest, connections that were tested, and hosts an administrator allowed."""

import uuid
from datetime import timedelta
from typing import ClassVar

from django.conf import settings
from django.db import models

from rapport.mail.models import Account

KEPT = timedelta(minutes=15)


class Secret(models.Model):
    """The password of an account, sealed. Useless without the keys file, and useless in another row (R28)."""

    account = models.OneToOneField(Account, on_delete=models.CASCADE, primary_key=True, related_name="secret")
    sealed = models.BinaryField()

    objects: ClassVar[models.Manager["Secret"]] = models.Manager()


class Tested(models.Model):
    """Settings that passed the test, waiting for Connect: exactly these are used, and no secret is in a page."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    settings = models.JSONField()
    """``connect.test.Settings`` without the password."""
    sealed = models.BinaryField()
    folders = models.JSONField()
    """What the test found: name, role, how many messages; how many per period."""
    at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Tested"]] = models.Manager()


class AllowedHost(models.Model):
    """A host and port that pages and accounts may reach though it is private or unusual: an administrator's word."""

    host = models.CharField(max_length=253)
    """Lower case, as it is typed."""
    port = models.PositiveIntegerField()
    account = models.ForeignKey(Account, null=True, on_delete=models.CASCADE, related_name="allowed_hosts")
    """Null: for every account and page; else for this account only."""
    at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["AllowedHost"]] = models.Manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["host", "port"], condition=models.Q(account=None), name="allowed_for_all"),
            models.UniqueConstraint(fields=["host", "port", "account"], name="allowed_for_one"),
        ]
