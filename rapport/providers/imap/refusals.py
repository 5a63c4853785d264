"""What a server's refusal means, and therefore what to do about it (sync.md B11). Pure."""

import re

from rapport.providers.errors import ProviderError, Refused, SignInAgain, TryLater
from rapport.providers.imap.responses import Status

_BUSY_CODES = {"UNAVAILABLE", "INUSE", "SERVERBUG", "LIMIT", "THROTTLED"}
# Said even inside AUTHENTICATIONFAILED; the password is fine.
_BUSY = re.compile(
    r"too many|simultaneous|throttl|rate.?limit|try (?:again )?later|temporar|unavailable|overload|server busy"
    r"|maximum number of connections|connection limit|exceeded.*(?:connection|bandwidth|limit)|internal (?:server )?error"
    r"|not connected|timed? ?out|please wait|in use",
    re.IGNORECASE,
)
_APP_PASSWORD = re.compile(
    r"app(?:lication)?[- ]?(?:specific)?[- ]?password|web ?login|authori[sz]ation code|client.?specific|"
    r"log in via your web browser|two.?factor|2fa|授权码",
    re.IGNORECASE,
)
_IMAP_OFF = re.compile(
    r"(?:imap|protocol|pop).{0,40}(?:disabled|not enabled|turned off|not allowed|not permitted|blocked)"
    r"|not enabled for imap|enable imap|basicauthblocked|basic auth\w* (?:is )?(?:disabled|blocked)|unsafe login",
    re.IGNORECASE,
)
_USERNAME = re.compile(
    r"(?:no such|unknown|invalid) (?:user\b(?!.{0,20}password)|mailbox|account)|user (?:not found|does not exist|unknown)"
    r"|full (?:e-?mail )?address",
    re.IGNORECASE,
)
_AFTER = re.compile(r"(?:back-?off|retry).{0,20}?(\d{1,9}) ?(ms|milliseconds?|s|seconds?|minutes?)", re.IGNORECASE)
_SESSION_OVER = re.compile(
    r"access.?token.?expired|session (?:has )?(?:expired|been invalidated|invalidated)", re.IGNORECASE
)
_SOME_GONE = re.compile(r"requested messages no longer exist|some messages were expunged", re.IGNORECASE)
_UNITS = {"m": 60.0, "s": 1.0}


def of_sign_in(status: Status) -> ProviderError:
    """Why nobody is signed in."""
    said = status.text or status.code.name
    if status.kind == "BYE" and not _for_good(said) and status.code.name != "AUTHENTICATIONFAILED":
        return TryLater("The server ended the connection at sign-in.", said=said, after=after(said))
    # An app password is often asked for with "temporarily" or "too many" in a help text: it is the clearer sign.
    if _APP_PASSWORD.search(said):
        return SignInAgain("The server wants an app password.", said=said, cause="app-password")
    if _IMAP_OFF.search(said):
        return SignInAgain("IMAP is switched off for this account.", said=said, cause="imap-off")
    if status.code.name in _BUSY_CODES or _BUSY.search(said) or status.kind == "BAD":
        return TryLater("The server puts us off.", said=said, after=after(said))
    if _USERNAME.search(said):
        return SignInAgain("The server does not know this user name.", said=said, cause="username")
    return SignInAgain("The server refused the sign-in.", said=said, cause="password")


def of_command(status: Status, what: str) -> ProviderError:
    """Why a command of a signed-in person failed."""
    said = status.text or status.code.name
    if status.code.name in ("EXPIRED", "AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "PRIVACYREQUIRED"):
        return SignInAgain("The server wants a new sign-in.", said=said)
    if status.code.name in _BUSY_CODES or _BUSY.search(said):
        return TryLater(f"The server puts us off: {what}.", said=said, after=after(said))
    return Refused(f"The server refused: {what}.", said=said)


def of_goodbye(status: Status) -> TryLater:
    """BYE, whenever it comes. A session that only ran out is opened again at once (sync.md hazard 62)."""
    wait = 0.0 if _SESSION_OVER.search(status.text) else after(status.text)
    return TryLater("The server ended the connection.", said=status.text, after=wait)


def only_some_gone(status: Status) -> bool:
    """Whether a command was done as far as it could be, because messages were expunged meanwhile (RFC 5530, 3)."""
    return status.code.name == "EXPUNGEISSUED" or bool(_SOME_GONE.search(status.text))


def after(said: str) -> float | None:
    """How many seconds the server asked us to stay away, if it said so."""
    found = _AFTER.search(said)
    if not found:
        return None
    unit = found[2].lower()
    return int(found[1]) * (0.001 if unit.startswith(("ms", "milli")) else _UNITS[unit[0]])


def _for_good(said: str) -> bool:
    return bool(_APP_PASSWORD.search(said) or _IMAP_OFF.search(said))
