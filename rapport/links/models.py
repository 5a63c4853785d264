"""An association of a message with a record."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from rapport.crm.models import Company, Contact
from rapport.mail.models import Message, Thread


class Link(models.Model):
    """One email is about one contact or one company, and why."""

    class Rule(models.TextChoices):
        """Which rule made it."""

        ADDRESS = "address"
        """An address of the contact stands in a header."""
        DOMAIN = "domain"
        """An address has a domain of the company."""
        CONTACT = "contact"
        """The company of a contact that is linked."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="links")
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="links")
    """The message's own; moves with it."""
    contact = models.ForeignKey(Contact, null=True, on_delete=models.CASCADE, related_name="links")
    company = models.ForeignKey(Company, null=True, on_delete=models.CASCADE, related_name="links")
    rule = models.CharField(max_length=10, choices=Rule.choices)
    role = models.CharField(max_length=10, blank=True)
    """The header it was found in (``from``, ``to``, ``cc`` …)."""
    found = models.CharField(max_length=320, blank=True)
    """The address or domain that matched."""
    made_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[models.Manager["Link"]] = models.Manager()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(contact=None, company__isnull=False) | Q(contact__isnull=False, company=None),
                name="link_to_one",
            ),
            models.UniqueConstraint(
                fields=["message", "contact"], condition=~Q(contact=None), name="link_contact_once"
            ),
            models.UniqueConstraint(
                fields=["message", "company"], condition=~Q(company=None), name="link_company_once"
            ),
        ]

    @property
    def reason(self) -> str:
        """Why it is here, in words."""
        if self.rule == self.Rule.DOMAIN:
            return "matched by domain"
        if self.rule == self.Rule.CONTACT:
            return "through a contact"
        return "in cc" if self.role == "cc" else "matched by address"
