"""Secrets at rest: sealed with a key that is not in the database, bound to the row they stand in (R28)."""

import json
import os
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from contextlib import suppress
from functools import cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE = 12
"""Octets; NIST SP 800-38D, 8.2."""


class CannotOpen(Exception):
    """A sealed secret cannot be opened: the keys file is another one, or the row was tampered with."""


def seal(secret: str, place: str) -> bytes:
    """The secret, readable only with the keys file and only in this place (``table:row:field``)."""
    name, key = _newest()
    nonce = secrets.token_bytes(_NONCE)
    return name.encode() + b"." + nonce + AESGCM(key).encrypt(nonce, secret.encode(), place.encode())


def unseal(sealed: bytes, place: str) -> str:
    """The secret again. Raises CannotOpen."""
    name, _, rest = sealed.partition(b".")
    key = _keys().get(name.decode(errors="replace"))
    if key is None:
        raise CannotOpen(
            f"The keys file {settings.KEYS_FILE} does not hold the key this secret was sealed with. "
            "Put the right file back, or connect the mailbox again."
        )
    try:
        return AESGCM(key).decrypt(rest[:_NONCE], rest[_NONCE:], place.encode()).decode()
    except InvalidTag as error:
        raise CannotOpen("A sealed secret was changed, or moved from another row.") from error


def _newest() -> tuple[str, bytes]:
    return next(reversed(_keys().items()))


def _keys() -> dict[str, bytes]:
    """Every key by its name, oldest first; the file is made on first use."""
    return _read(Path(settings.KEYS_FILE))


@cache
def _read(path: Path) -> dict[str, bytes]:
    with suppress(FileExistsError):
        _make(path)
    return {name: urlsafe_b64decode(key) for name, key in json.loads(path.read_text()).items()}


def _make(path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = {secrets.token_hex(4): urlsafe_b64encode(AESGCM.generate_key(256)).decode()}
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(fresh, file)
        file.flush()
        os.fsync(file.fileno())
    try:
        # Of two processes that start at once, one makes the file and both read the same.
        os.link(draft, path)
    finally:
        draft.unlink()


def ready() -> None:
    """Make the keys file if there is none yet."""
    _keys()
