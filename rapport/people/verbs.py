"""What is done about people."""

import hashlib
import secrets

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from rapport.people.models import FirstLink, User


class CannotAdd(Exception):
    """The person cannot be added; the text says why and what to do."""


def add(address: str, *, name: str, password: str, admin: bool = False) -> User:
    """A new person who can sign in. Raises CannotAdd."""
    user = User(address=address.strip().lower(), name=name.strip(), is_admin=admin)
    _check(user, password)
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise CannotAdd(f"{user.address} is already a user.") from error
    return user


def _check(user: User, password: str) -> None:
    try:
        validate_email(user.address)
    except ValidationError as error:
        raise CannotAdd(f"{user.address!r} is not an email address.") from error
    if not user.name:
        raise CannotAdd("A name is needed.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise CannotAdd(" ".join(error.messages)) from error


class LinkIsVoid(Exception):
    """The first link was used, replaced, or never made."""


def first_link() -> str:
    """A new token for the first administrator's link; the one before it stops working."""
    token = secrets.token_urlsafe(32)
    with transaction.atomic():
        FirstLink.objects.all().delete()
        FirstLink.objects.create(digest=_digest(token))
    return token


def link_is_good(token: str) -> bool:
    """Nobody is here yet, and this is the link that was printed."""
    return not User.objects.exists() and FirstLink.objects.filter(digest=_digest(token)).exists()


def first_administrator(token: str, *, name: str, address: str, password: str) -> User:
    """The person who came by the first link, as administrator. Raises LinkIsVoid, CannotAdd."""
    with transaction.atomic():
        if not link_is_good(token):
            raise LinkIsVoid
        user = add(address, name=name, password=password, admin=True)
        FirstLink.objects.all().delete()
    return user


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
