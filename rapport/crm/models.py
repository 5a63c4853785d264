"""Contacts and companies."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q


class Company(models.Model):
    """An organisation, known by its name and its mail domains."""

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Company"]] = models.Manager()

    def __str__(self) -> str:
        return self.name


class CompanyDomain(models.Model):
    """A mail domain that belongs to one company; never a freemail domain (D4)."""

    company = models.ForeignKey(Company, on_delete=models.CASCADE, related_name="domains")
    domain = models.CharField(max_length=253, unique=True)
    """Lower case, as in addresses."""

    objects: ClassVar[models.Manager["CompanyDomain"]] = models.Manager()

    def __str__(self) -> str:
        return self.domain


class Contact(models.Model):
    """A person we know, seen by everybody unless ``seen_by`` names the one who does."""

    class Source(models.TextChoices):
        """Who made it."""

        PERSON = "person"
        MAIL = "mail"

    uuid = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    title = models.CharField(max_length=200, blank=True)
    phone = models.CharField(max_length=60, blank=True)
    company = models.ForeignKey(Company, null=True, blank=True, on_delete=models.SET_NULL, related_name="contacts")
    company_chosen = models.BooleanField(default=False)
    """A person chose the company (or none): the domain no longer decides (S36)."""
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    """Made by the machine out of a personal account: its owner alone, until a person edits or shares it (D9)."""
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.PERSON)
    made_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Contact"]] = models.Manager()

    def __str__(self) -> str:
        return self.name

    @property
    def first_name(self) -> str:
        """How a colleague would call them in a sentence."""
        return self.name.split()[0] if self.name.strip() else ""


class ContactAddress(models.Model):
    """An email address of a contact. One address is one contact for everybody who sees both."""

    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="addresses")
    address = models.CharField(max_length=254)
    """Lower case."""
    seen_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="+")
    """The contact's own ``seen_by``: so that a private contact never blocks, or betrays, an address."""

    objects: ClassVar[models.Manager["ContactAddress"]] = models.Manager()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["address"], condition=Q(seen_by=None), name="address_once"),
            models.UniqueConstraint(
                fields=["address", "seen_by"], condition=~Q(seen_by=None), name="address_once_each"
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["address"])]

    def __str__(self) -> str:
        return self.address
