"""Every failure's sentence: the cause, what is safe, the next step (DESIGN.md 8)."""

from dataclasses import dataclass
from datetime import datetime

from rapport.providers.contract import Endpoint, Security
from rapport.providers.errors import Certificate, ProviderError, Refused, SignInAgain, TryLater, Unreachable


@dataclass(frozen=True)
class Words:
    """A failure as a person reads it."""

    cause: str
    """For the page's own use: ``name``, ``password``, ``certificate`` … as in ``providers.errors``."""
    title: str
    text: str
    said: str = ""
    """The server's own words."""
    certificate: Certificate | None = None
    """Shown where it is about one, so that a person can allow exactly it."""
    fix: tuple[tuple[str, str], ...] = ()
    """Form fields to change and their new values, behind ``fix_label``: *Switch to STARTTLS*."""
    fix_label: str = ""

    def __str__(self) -> str:
        return f"{self.title}. {self.text}"


def incoming(error: ProviderError, endpoint: Endpoint) -> Words:
    """What went wrong with reading."""
    return _words(error, endpoint, "incoming")


def outgoing(error: ProviderError, endpoint: Endpoint, *, receiving_works: bool) -> Words:
    """What went wrong with sending; said as such when receiving works (S21)."""
    words = _words(error, endpoint, "outgoing")
    if not receiving_works:
        return words
    return Words(
        words.cause,
        "Receiving works, sending doesn’t",
        f"{words.title}. {words.text}",
        words.said,
        words.certificate,
        words.fix,
        words.fix_label,
    )


def _words(error: ProviderError, endpoint: Endpoint, side: str) -> Words:
    if isinstance(error, SignInAgain):
        return _sign_in(error)
    if isinstance(error, Unreachable):
        return _unreachable(error, endpoint, side)
    if isinstance(error, TryLater):
        return Words(
            "busy",
            "The server is busy",
            "It asked us to come back later. Nothing is wrong with what you typed; test again in a few minutes.",
            error.said,
        )
    if isinstance(error, Refused):
        return Words("refused", f"{endpoint.host} refused this", "It said why; see below.", error.said or str(error))
    return Words("protocol", f"{endpoint.host} answered something we don’t understand", str(error), error.said)


_SIGN_IN = {
    "app-password": (
        "This server needs an app password here",
        (
            "The normal password works on the website, not in other apps. "
            "Make an app password in the mailbox’s security settings, and use it here."
        ),
    ),
    "imap-off": (
        "IMAP is turned off for this mailbox",
        "Turn it on in the mailbox’s settings at the provider, then test again.",
    ),
    "smtp-off": (
        "Sending through SMTP is turned off for this mailbox",
        "Turn it on in the mailbox’s settings at the provider, then test again.",
    ),
    "username": (
        "The server expects a username",
        "Exchange often wants DOMAIN\\name. Fill in the username, then test again.",
    ),
    "encryption": (
        "This server takes no password without encryption",
        "Choose TLS or STARTTLS, then test again.",
    ),
    "method": (
        "This server takes no password at all",
        "It wants another way of signing in, which Rapport does not speak yet.",
    ),
}
_PASSWORD = (
    "The password was refused",
    "The server and encryption are right; only the password isn’t. Type it again, then test again.",
)


def _sign_in(error: SignInAgain) -> Words:
    title, text = _SIGN_IN.get(error.cause, _PASSWORD)
    return Words(error.cause, title, text, error.said)


def _unreachable(error: Unreachable, endpoint: Endpoint, side: str) -> Words:
    host, port = endpoint.host, endpoint.port
    match error.cause:
        case "name":
            words = (f"There is no server called {host}", "Check the spelling; your provider’s help page names it.")
        case "refused":
            words = (
                f"Nothing listens on {host}, port {port}",
                "The server is there, but not on this port. Check the port number.",
            )
        case "timeout":
            words = (
                f"No answer from {host} on port {port}",
                "A firewall may block this server, or the name or the port is another one.",
            )
        case "forbidden":
            words = (
                f"This installation doesn’t connect to {host}, port {port}",
                (
                    "It is inside a private network, or not a mail port. "
                    f"An administrator can allow it: rapport host allow {host}:{port}"
                ),
            )
        case "speaks-tls":
            return _switch(error, side, Security.SSL, "This port speaks TLS from the start", "Switch to TLS")
        case "speaks-plain":
            return _switch(error, side, Security.STARTTLS, "This port speaks STARTTLS, not TLS", "Switch to STARTTLS")
        case "no-starttls":
            words = (
                "This server doesn’t offer STARTTLS",
                "Without it the password would travel in clear text. Another port usually speaks TLS.",
            )
        case "certificate":
            return _certificate(error, endpoint)
        case "lost":
            words = (f"{host} ended the connection", "Test again; if it stays so, the server’s own log says why.")
        case _:
            words = (
                f"What answers at {host}, port {port} isn’t a mail server",
                "Check the server name and the port.",
            )
    return Words(error.cause, *words, said=error.said)


def _switch(error: Unreachable, side: str, security: Security, title: str, label: str) -> Words:
    fix = ((f"{side}_security", security.value),)
    return Words(error.cause, title, "Change the encryption, then test again.", error.said, None, fix, label)


def _certificate(error: Unreachable, endpoint: Endpoint) -> Words:
    shown = error.certificate
    if shown is None:
        return Words("certificate", "The certificate can’t be trusted", error.detail, error.said)
    title = {
        "self-signed": "The certificate is self-signed",
        "expired": f"The certificate expired on {_day(shown.not_after)}",
        "other-name": f"The certificate belongs to {', '.join(shown.names[:3]) or 'nobody named'}",
        "changed": "The server shows another certificate than the one you allowed",
    }.get(error.detail, "The certificate isn’t signed by a known authority")
    text = f"Allow it only if {endpoint.host} is your own server, and the fingerprint is the one you know."
    return Words("certificate", title, text, error.said, shown)


def _day(moment: str) -> str:
    at = datetime.fromisoformat(moment)
    return f"{at.day} {at:%b %Y}"
