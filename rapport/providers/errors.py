"""What can go wrong with a mail server, named after what to do about it.

    ProviderError
    ├── TryLater        out of reach, busy, or throttled: the same again, later
    │   └── Unreachable no connection could be made (name, port, TLS): says which
    ├── SignInAgain     the sign-in was refused: a person has to look
    ├── StartOver       what we remember of this folder is void (a new UIDVALIDITY)
    └── Refused         this one thing cannot be done; everything else goes on

An adapter turns whatever its server throws into one of these and raises nothing else.
"""

from dataclasses import dataclass


class ProviderError(Exception):
    """Any failure of a mail server. ``said`` is the server's own text, at most 200 characters."""

    def __init__(self, message: str, *, said: str = "") -> None:
        super().__init__(message)
        self.said = said[:200]


class TryLater(ProviderError):
    """The server is out of reach, busy or throttling; ``after`` says how many seconds it asked for, if it did."""

    def __init__(self, message: str, *, said: str = "", after: float | None = None) -> None:
        super().__init__(message, said=said)
        self.after = after


@dataclass(frozen=True)
class Certificate:
    """A certificate a server showed: enough for a person to decide whether to allow it."""

    sha256: str
    """Hexadecimal, lower case, of the DER form."""
    names: tuple[str, ...]
    issuer: str
    not_before: str
    """ISO 8601, UTC."""
    not_after: str
    """ISO 8601, UTC."""
    self_signed: bool


class Unreachable(TryLater):
    """No usable connection. ``cause`` is one of the words below; a person's sentence for each is in ``connect.words``.

    - ``name``         the host name does not exist
    - ``refused``      nothing listens on that port
    - ``timeout``      no answer in time
    - ``forbidden``    this installation does not connect there (``net``)
    - ``speaks-tls``   we spoke plain text (or STARTTLS), the port wants TLS from the first byte
    - ``speaks-plain`` we spoke TLS, the port speaks plain text first (usually STARTTLS)
    - ``no-starttls``  STARTTLS was asked for and is not offered
    - ``certificate``  not trusted: ``certificate`` says which, ``detail`` why (``self-signed``, ``expired``,
      ``other-name``, ``untrusted``; ``changed``: another than the allowed one)
    - ``protocol``     something answered, but not a mail server
    - ``lost``         the connection ended in the middle
    """

    def __init__(
        self, cause: str, message: str, *, said: str = "", detail: str = "", certificate: Certificate | None = None
    ) -> None:
        super().__init__(message, said=said)
        self.cause = cause
        self.detail = detail
        self.certificate = certificate


class SignInAgain(ProviderError):
    """The server refused the sign-in. ``cause`` is one of the words below.

    - ``password``      not this password (or, on servers that do not tell, not this user name)
    - ``app-password``  it wants a password made for one program, or a sign-in in the browser first
    - ``imap-off``      IMAP is switched off for this account (``smtp-off``: sending with a password is)
    - ``username``      it does not know this user name
    - ``encryption``    it takes no password on a connection without TLS
    - ``method``        it takes no password at all
    """

    def __init__(self, message: str, *, said: str = "", cause: str = "password") -> None:
        super().__init__(message, said=said)
        self.cause = cause


class StartOver(ProviderError):
    """What we remember of this folder is void: its UIDVALIDITY changed (RFC 9051, 2.3.1.1)."""


class Refused(ProviderError):
    """The server will not do this one thing; asking again the same way is pointless.

    ``uid`` is the message that it is about, where it is about one: it is too large to be fetched.
    """

    def __init__(self, message: str, *, said: str = "", uid: int | None = None) -> None:
        super().__init__(message, said=said)
        self.uid = uid
