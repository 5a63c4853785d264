"""Opening a mailbox: connect, protect, greet, sign in, and ask once for all that the rest depends on."""

import socket
import ssl
from collections.abc import Callable

from rapport import net
from rapport.net import tls
from rapport.net.dial import CONNECT_SECONDS
from rapport.net.errors import BadCertificate, NetError
from rapport.providers import profiles
from rapport.providers.contract import Endpoint, Login, Pace, Security
from rapport.providers.errors import Certificate, ProviderError, SignInAgain, Unreachable
from rapport.providers.imap import commands, refusals
from rapport.providers.imap.client import State
from rapport.providers.imap.commands import plain
from rapport.providers.imap.mailbox import Mailbox
from rapport.providers.imap.responses import Status
from rapport.providers.imap.session import Session, speakable
from rapport.providers.imap.wire import Wire
from rapport.providers.profiles import Profile

GREETING_PATIENCE = 3.0
"""How long a silent port is waited for before it is asked whether it wants TLS."""


def sign_in(
    endpoint: Endpoint,
    login: Login,
    *,
    policy: net.Policy,
    timeout: float = 30.0,
    profile: Profile | None = None,
    pace: Pace | None = None,
) -> Mailbox:
    """A signed-in mailbox. Raises Unreachable, TryLater or SignInAgain.

    Connecting takes at most ``net``'s own 10 s; afterwards every wait for the server at most ``timeout``, and every
    answer ten times that, unless a lot of it comes. What is known of a provider comes from its host, or is given as
    ``profile``; ``pace`` is what the last connection to that host learnt.
    """
    session = _greeted(endpoint, policy, timeout)
    try:
        _authenticate(session, login, endpoint.security)
    except BaseException:
        session.close()
        raise
    return Mailbox(session, profile=profile or profiles.of(endpoint.host), pace=pace)


def unreachable(error: NetError) -> Unreachable:
    """What ``net`` says, in the vocabulary of providers."""
    if not isinstance(error, BadCertificate):
        return Unreachable(error.cause, str(error))
    certificate = Certificate(**vars(error.shown)) if error.shown else None
    return Unreachable(error.cause, str(error), detail=error.detail, certificate=certificate)


def _greeted(endpoint: Endpoint, policy: net.Policy, timeout: float) -> Session:
    """Connected, under TLS where that was chosen, and greeted."""
    try:
        return _connected(endpoint, policy, min(timeout, CONNECT_SECONDS), timeout)
    except NetError as error:
        raise unreachable(error) from error


def _connected(endpoint: Endpoint, policy: net.Policy, patience: float, timeout: float) -> Session:
    plain_socket = net.connect(endpoint.host, endpoint.port, policy=policy, timeout=patience)
    if endpoint.security is Security.SSL:
        secured = tls.secure(plain_socket, endpoint.host, pinned=endpoint.pinned)
        return _first_words(secured, timeout, wants_tls=lambda: False)
    other = net.peer(plain_socket)
    session = _first_words(plain_socket, timeout, wants_tls=lambda: tls.speaks_tls(other, endpoint.host))
    if endpoint.security is Security.STARTTLS:
        _start_tls(session, endpoint, lambda: _ready_for_tls(other, timeout), timeout)
    return session


def _first_words(connected: socket.socket, timeout: float, *, wants_tls: Callable[[], bool]) -> Session:
    """A session that was greeted. A port that says nothing is asked whether it wants TLS before it is given up."""
    session = Session(Wire(connected))
    try:
        _await_greeting(connected, timeout, wants_tls)
        greeting = session.next()
    except Unreachable as error:
        session.close()
        if error.cause in ("lost", "protocol") and wants_tls():
            raise _speaks_tls() from error
        raise
    if isinstance(greeting, Status) and greeting.kind in ("OK", "PREAUTH"):
        return session
    session.close()
    raise Unreachable("protocol", "What answered is not an IMAP server.")


def _await_greeting(connected: socket.socket, timeout: float, wants_tls: Callable[[], bool]) -> None:
    connected.settimeout(min(GREETING_PATIENCE, timeout))
    try:
        # Inside TLS nothing can be peeked at, and nothing needs to be.
        first = b"" if isinstance(connected, ssl.SSLSocket) else connected.recv(2, socket.MSG_PEEK)
        if first in (b"\x15\x03", b"\x16\x03"):
            raise _speaks_tls()
    except TimeoutError:
        if wants_tls():
            raise _speaks_tls() from None
    except OSError as error:
        raise Unreachable("lost", "The connection ended before the greeting.") from error
    finally:
        connected.settimeout(timeout)


def _speaks_tls() -> Unreachable:
    return Unreachable("speaks-tls", "The port wants TLS from the first byte.")


def _start_tls(session: Session, endpoint: Endpoint, reopen: Callable[[], socket.socket], timeout: float) -> None:
    """From plain to TLS, or not at all: nothing secret was said before, and nothing heard before is kept (R59)."""
    try:
        plain_socket = _bare(session)
        plain_socket.settimeout(min(timeout, CONNECT_SECONDS))
        secured = tls.secure(plain_socket, endpoint.host, pinned=endpoint.pinned, reopen=reopen)
    except (ProviderError, NetError):
        session.close()
        raise
    secured.settimeout(timeout)
    session.wire.socket = secured
    session.client.secured()


def _bare(session: Session) -> socket.socket:
    """The socket after an accepted STARTTLS, with nothing read beyond the answer."""
    if session.client.state is not State.STRANGER:
        # PREAUTH: signed in without TLS, so STARTTLS is no longer allowed; somebody may want exactly that (R59).
        raise Unreachable("no-starttls", "The server skips STARTTLS.")
    if not session.client.capabilities:
        session.run([plain("CAPABILITY")])
    if "STARTTLS" not in session.client.capabilities:
        raise Unreachable("no-starttls", "The server does not offer STARTTLS.")
    [answer] = session.run([plain("STARTTLS")])
    if answer.kind != "OK":
        raise Unreachable("no-starttls", "The server refused STARTTLS.", said=answer.text)
    if session.client.lexer.held():
        raise Unreachable("protocol", "Something was slipped in before TLS began.")
    return session.wire.socket


def _ready_for_tls(other: tuple[str, int], timeout: float) -> socket.socket:
    """A second connection up to an accepted STARTTLS, to look at its certificate."""
    session = Session(Wire(net.again(other, min(timeout, CONNECT_SECONDS))))
    try:
        session.next()
        return _bare(session)
    except ProviderError as error:
        session.close()
        raise NetError(str(error)) from error


def _authenticate(session: Session, login: Login, security: Security) -> None:
    if session.client.state is State.SIGNED_IN:
        return
    if not session.client.capabilities:
        session.run([plain("CAPABILITY")])
    command = speakable(lambda: _sign_in_command(session.client.capabilities, login, security))
    # What was known before belongs to a stranger; only what comes with or after the OK counts (sync.md hazard 34).
    session.client.capabilities = frozenset()
    [answer] = session.run([command])
    if answer.kind != "OK":
        raise refusals.of_sign_in(answer)
    if not session.client.capabilities:
        session.run([plain("CAPABILITY")])


def _sign_in_command(capabilities: frozenset[str], login: Login, security: Security) -> commands.Command:
    """The way in that this server has for a password. Raises SignInAgain where there is none."""
    if "AUTH=PLAIN" in capabilities:
        return commands.authenticate_plain(login, at_once="SASL-IR" in capabilities)
    if "LOGINDISABLED" not in capabilities:
        return commands.login(login)
    if security is Security.NONE:
        raise SignInAgain("The server takes no password without encryption.", cause="encryption")
    raise SignInAgain("The server takes no password at all.", cause="method")
