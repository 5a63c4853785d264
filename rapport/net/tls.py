"""TLS to a mail server: 1.2 or newer, chain and name verified, or exactly the one certificate a person allowed."""

import hashlib
import hmac
import socket
import ssl
from collections.abc import Callable
from functools import lru_cache

from rapport.net.dial import again, peer
from rapport.net.errors import BadCertificate, Lost, NetError, NoAnswer, SpeaksPlain, TlsFailed
from rapport.net.shown import Shown, read

PROBE_SECONDS = 3.0
Reopen = Callable[[], socket.socket]

# OpenSSL's X509_V_ERR_* numbers (openssl/x509_vfy.h), as ``SSLCertVerificationError.verify_code``.
_OUT_OF_DATE = {9, 10}
_SELF_SIGNED = {18}
_OTHER_NAME = {62, 64}
# What OpenSSL says when the other side's first bytes are no TLS record.
_NO_TLS = {"WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST", "RECORD_LAYER_FAILURE", "BAD_RECORD_TYPE"}


def secure(plain: socket.socket, host: str, *, pinned: str = "", reopen: Reopen | None = None) -> ssl.SSLSocket:
    """``plain`` under TLS; closed when that fails. Raises NetError.

    ``pinned`` is the SHA-256 of the only certificate accepted; then no chain, name or date is looked at (R58).
    ``reopen`` gives another socket that is ready for a handshake, to fetch the certificate that was refused.
    """
    if pinned:
        return _pinned(plain, host, pinned)
    other = peer(plain)
    try:
        return _handshake(_verifying(), plain, host)
    except ssl.SSLCertVerificationError as error:
        shown = _shown(host, reopen or (lambda: again(other)))
        plain.close()
        raise BadCertificate(_detail(error.verify_code, shown), shown) from error
    except NetError:
        plain.close()
        raise


def speaks_tls(other: tuple[str, int], host: str, timeout: float = PROBE_SECONDS) -> bool:
    """Whether an address that was connected to before completes a TLS handshake. Sends nothing besides."""
    try:
        with again(other, timeout) as second, _handshake(_unverified(), second, host):
            return True
    except (NetError, ssl.SSLError):
        return False


def _pinned(plain: socket.socket, host: str, pinned: str) -> ssl.SSLSocket:
    try:
        secured = _handshake(_unverified(), plain, host)
    except NetError:
        plain.close()
        raise
    der = secured.getpeercert(binary_form=True) or b""
    if not hmac.compare_digest(hashlib.sha256(der).hexdigest(), pinned.lower()):
        secured.close()
        raise BadCertificate("changed", read(der))
    return secured


def _shown(host: str, reopen: Reopen) -> Shown | None:
    """The refused certificate, from a second handshake on a connection that carries nothing else.

    Python hands out a certificate only after a handshake that succeeded.
    """
    try:
        with reopen() as plain, _handshake(_unverified(), plain, host) as secured:
            der = secured.getpeercert(binary_form=True)
            return read(der) if der else None
    except (NetError, OSError):
        return None


def _detail(code: int, shown: Shown | None) -> str:
    """The one word for a person, from OpenSSL's first complaint."""
    if code in _OUT_OF_DATE:
        return "expired"
    if code in _OTHER_NAME:
        return "other-name"
    if code in _SELF_SIGNED or (shown and shown.self_signed):
        return "self-signed"
    return "untrusted"


def _handshake(context: ssl.SSLContext, plain: socket.socket, host: str) -> ssl.SSLSocket:
    try:
        return context.wrap_socket(plain, server_hostname=host.strip().rstrip("."))
    except ssl.SSLCertVerificationError:
        raise
    except ssl.SSLError as error:
        raise _named(error) from error
    except TimeoutError as error:
        raise NoAnswer("The TLS handshake was not answered in time.") from error
    except (OSError, ValueError) as error:
        raise Lost("The connection ended during the TLS handshake.") from error


def _named(error: ssl.SSLError) -> NetError:
    if error.reason in _NO_TLS:
        return SpeaksPlain("The port does not speak TLS.")
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return Lost("The connection ended during the TLS handshake.")
    return TlsFailed(f"No common TLS version or cipher ({error.reason}).")


@lru_cache(maxsize=1)
def _verifying() -> ssl.SSLContext:
    """Loading the root certificates takes 20 ms: once."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


@lru_cache(maxsize=1)
def _unverified() -> ssl.SSLContext:
    """For a pin or a probe. Whoever uses it looks at the certificate, or sends nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
