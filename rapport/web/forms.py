"""What people fill in: which fields a page takes, and no others (R9).

A form only reads; what is wrong in the eyes of the product comes from the verbs and is added to it.
"""

from collections.abc import Mapping

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator

from rapport.connect.typed import Server

SECURITIES = (("ssl", "TLS"), ("starttls", "STARTTLS"), ("none", "None"))
PERIODS = (("now", "Now on"), ("1m", "1 month ago"), ("3m", "3 months ago"), ("6m", "6 months ago"))
KINDS = (("shared", "Shared"), ("personal", "Personal"))


class SignIn(forms.Form):
    """Who signs in."""

    address = forms.CharField(max_length=254)
    password = forms.CharField(max_length=1024, strip=False)

    def clean_address(self) -> str:
        """As it is stored, and as wrong tries are counted."""
        return str(self.cleaned_data["address"]).strip().lower()


class Administrator(forms.Form):
    """The first person."""

    name = forms.CharField(max_length=200, error_messages={"required": "A name is needed: colleagues will see it."})
    address = forms.EmailField(max_length=254, error_messages={"required": "An email address is needed to sign in."})
    password = forms.CharField(
        max_length=1024, strip=False, error_messages={"required": "A password is needed to sign in."}
    )


class Mailbox(forms.Form):
    """Which mailbox, and who works in it."""

    address = forms.EmailField(max_length=254, required=False)
    who = forms.ChoiceField(choices=KINDS)


class Servers(forms.Form):
    """Everything a test needs."""

    address = forms.EmailField(
        max_length=254,
        error_messages={"required": "The mailbox’s address is missing.", "invalid": "That is not an email address."},
    )
    password = forms.CharField(
        max_length=1024, strip=False, error_messages={"required": "The mailbox’s password is missing."}
    )
    username = forms.CharField(max_length=254, required=False)
    incoming_host = forms.CharField(max_length=253, error_messages={"required": "The incoming server is missing."})
    incoming_port = forms.CharField(max_length=5, error_messages={"required": "The incoming port is missing."})
    incoming_security = forms.ChoiceField(choices=SECURITIES)
    incoming_pin = forms.CharField(max_length=64, required=False, validators=[RegexValidator("^[0-9a-fA-F]{64}$")])
    outgoing_host = forms.CharField(max_length=253, error_messages={"required": "The outgoing server is missing."})
    outgoing_port = forms.CharField(max_length=5, error_messages={"required": "The outgoing port is missing."})
    outgoing_security = forms.ChoiceField(choices=SECURITIES)
    outgoing_pin = forms.CharField(max_length=64, required=False, validators=[RegexValidator("^[0-9a-fA-F]{64}$")])

    def clean_incoming_host(self) -> str:
        """A bare name."""
        return _host(self.cleaned_data["incoming_host"])

    def clean_outgoing_host(self) -> str:
        """A bare name."""
        return _host(self.cleaned_data["outgoing_host"])

    def clean_incoming_port(self) -> int:
        """A number."""
        return _port(self.cleaned_data["incoming_port"])

    def clean_outgoing_port(self) -> int:
        """A number."""
        return _port(self.cleaned_data["outgoing_port"])

    def server(self, side: str) -> Server:
        """One of the two."""
        told = self.cleaned_data
        return Server(told[f"{side}_host"], told[f"{side}_port"], told[f"{side}_security"], told[f"{side}_pin"])


class What(forms.Form):
    """What to sync."""

    period = forms.ChoiceField(choices=PERIODS)
    create_contacts = forms.BooleanField(required=False)


class Contact(forms.Form):
    """A contact's details; its addresses come beside it, as many as there are."""

    name = forms.CharField(max_length=200, required=False)
    title = forms.CharField(max_length=200, required=False)
    phone = forms.CharField(max_length=60, required=False)
    company = forms.CharField(max_length=200, required=False)


class Company(forms.Form):
    """A company's details; its domains come beside it, as many as there are."""

    name = forms.CharField(max_length=200, required=False)


def told(form: forms.Form) -> Mapping[str, str]:
    """What is wrong, one sentence a field."""
    return {name: " ".join(str(error) for error in errors) for name, errors in form.errors.items()}


def _host(given: str) -> str:
    host = given.strip().rstrip(".")
    if not host or any(c.isspace() or c in "/@\\" for c in host):
        raise ValidationError(f"“{given}” is not a server’s name.")
    return host


def _port(given: str) -> int:
    if not (given.isascii() and given.isdigit()):
        raise ValidationError(f"“{given}” is not a port number.")
    port = int(given)
    for check in (MinValueValidator(1), MaxValueValidator(65535)):
        check(port)
    return port
