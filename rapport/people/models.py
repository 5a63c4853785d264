"""Who signs in."""

import uuid
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class UserManager(BaseUserManager["User"]):
    """Finds people by their address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(address=(username or "").strip().lower())


class User(AbstractBaseUser):
    """A person who signs in with an email address. An administrator connects shared mailboxes and adds people."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    address = models.EmailField(unique=True, max_length=254)
    """Lower case."""
    name = models.CharField(max_length=200)
    is_admin = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    joined_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "address"
    EMAIL_FIELD = "address"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def first_name(self) -> str:
        """How colleagues would call them in a sentence."""
        return self.name.split()[0] if self.name.strip() else self.address


class FirstLink(models.Model):
    """The one-time link by which the first administrator comes in; good while nobody is here."""

    digest = models.CharField(max_length=64, unique=True)
    """SHA-256 of the token: the link itself is shown once and stored nowhere."""
    made_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["FirstLink"]] = models.Manager()
