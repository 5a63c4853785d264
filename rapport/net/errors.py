"""Why a connection could not be made, in one word (``cause``) that an adapter hands on."""

from rapport.net.shown import Shown


class NetError(Exception):
    """A connection that could not be made."""

    cause = "lost"


class NameNotFound(NetError):
    """The host name does not exist, or nobody could say in time."""

    cause = "name"


class PortClosed(NetError):
    """The machine answered that nothing listens on that port."""

    cause = "refused"


class NoAnswer(NetError):
    """Nobody answered in time."""

    cause = "timeout"


class Forbidden(NetError):
    """This installation does not connect there (R40). Deliberately without a reason: no oracle (R41)."""

    cause = "forbidden"


class Lost(NetError):
    """The connection ended in the middle."""

    cause = "lost"


class SpeaksPlain(NetError):
    """We spoke TLS and the answer was no TLS."""

    cause = "speaks-plain"


class TlsFailed(NetError):
    """Both speak TLS and found no common ground: an old version, no shared cipher."""

    cause = "protocol"


class BadCertificate(NetError):
    """The certificate is not trusted. ``detail``: self-signed, expired, other-name, untrusted, or changed (a pin)."""

    cause = "certificate"

    def __init__(self, detail: str, shown: Shown | None) -> None:
        super().__init__(f"The certificate is not trusted: {detail}.")
        self.detail = detail
        self.shown = shown
