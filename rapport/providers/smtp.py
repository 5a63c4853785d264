"""SMTP as far as a check goes: connect, protect, sign in, and leave without having sent anything."""

import base64
import contextlib
import io
import re
import smtplib
import socket
import ssl
from typing import BinaryIO, cast

from rapport import net
from rapport.net import tls
from rapport.net.dial import CONNECT_SECONDS
from rapport.net.errors import BadCertificate, NetError
from rapport.providers.contract import Endpoint, Login, Security
from rapport.providers.errors import Certificate, ProviderError, Refused, SignInAgain, TryLater, Unreachable

GREETING_PATIENCE = 3.0
REPLY_LINES = 1_000
_APP_PASSWORD = re.compile(
    r"app(?:lication)?[- ]?(?:specific)?[- ]?password|5\.7\.9|5\.7\.14|web ?login|授权码", re.IGNORECASE
)
_OFF = re.compile(
    r"5\.7\.139|5\.7\.57|smtp.{0,30}(?:disabled|not enabled)|basic auth\w* (?:is )?disabled", re.IGNORECASE
)
_BUSY = re.compile(r"too many|throttl|rate.?limit|try again later|temporar", re.IGNORECASE)


def check(endpoint: Endpoint, login: Login | None, *, policy: net.Policy, timeout: float = 30.0) -> None:
    """Do all that sending a mail needs but the mail. Raises Unreachable, TryLater, SignInAgain or Refused."""
    connect(endpoint, login, policy=policy, timeout=timeout).leave()


def connect(endpoint: Endpoint, login: Login | None, *, policy: net.Policy, timeout: float = 30.0) -> "Session":
    """A session that is ready for MAIL FROM; without ``login`` for servers that want none. Raises as ``check``."""
    session = Session(endpoint, policy, timeout)
    with translated(session):
        _welcome(*session.connect(endpoint.host, endpoint.port))
        session.greet()
        if endpoint.security is Security.STARTTLS:
            session.start_tls()
        if login is not None:
            session.sign_in(login)
        _demand(*session.noop())
    return session


class Session(smtplib.SMTP):
    """``smtplib``'s session on a socket made by ``net``."""

    def __init__(self, endpoint: Endpoint, policy: net.Policy, timeout: float) -> None:
        super().__init__(timeout=timeout)
        self._endpoint = endpoint
        self._policy = policy
        # smtplib compares against it only in its own starttls(), which is not used here.
        self._host = endpoint.host

    # smtplib looks this up by name; the stubs do not know it.
    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        """A connected socket, under TLS where that comes first."""
        plain = net.connect(host, port, policy=self._policy, timeout=min(timeout, CONNECT_SECONDS))
        if self._endpoint.security is Security.SSL:
            secured = tls.secure(plain, host, pinned=self._endpoint.pinned)
            secured.settimeout(timeout)
            return secured
        self._peer = net.peer(plain)
        try:
            self._await_greeting(plain)
        except BaseException:
            plain.close()
            raise
        plain.settimeout(timeout)
        return plain

    def getreply(self) -> tuple[int, bytes]:
        """A reply of at most ``REPLY_LINES`` lines; smtplib itself would go on reading for ever."""
        if self.sock is not None and self.file is None:
            self.file = _Bounded(self.sock.makefile("rb"))
        if self.file is not None:
            self.file.lines = 0
        return super().getreply()

    def greet(self) -> None:
        """EHLO, and HELO for very old servers. Our own name is a bracketed address: it tells nothing (RFC 5321 4.1.3)."""
        self.local_hostname = "[127.0.0.1]"
        self.ehlo_or_helo_if_needed()

    def start_tls(self) -> None:
        """From plain to TLS, or not at all; nothing heard before is kept (R59)."""
        self._ask_for_tls()
        # What was read ahead came before TLS: somebody slipped it in.
        if self.sock is None or self._read_ahead():
            raise Unreachable("protocol", "Something was slipped in before TLS began.")
        secured = tls.secure(self.sock, self._endpoint.host, pinned=self._endpoint.pinned, reopen=self._ready_for_tls)
        secured.settimeout(self.timeout)
        self.sock, self.file = secured, None
        self.helo_resp = self.ehlo_resp = None
        self.esmtp_features, self.does_esmtp = {}, False
        self.greet()

    def sign_in(self, login: Login) -> None:
        """AUTH PLAIN, else LOGIN (RFC 4954)."""
        ways = self.esmtp_features.get("auth", "").upper().split()
        if "\0" in login.username + login.password:
            raise Refused("A user name or password with NUL cannot be sent.")
        name, secret = login.username.encode(), login.password.encode()
        if "PLAIN" in ways:
            code, said = self.docmd("AUTH", "PLAIN " + _base64(b"\0" + name + b"\0" + secret))
        elif "LOGIN" in ways:
            code, said = self.docmd("AUTH", "LOGIN " + _base64(name))
            if code == 334:
                code, said = self.docmd(_base64(secret))
        elif self._endpoint.security is Security.NONE:
            raise SignInAgain("The server takes no password without encryption.", cause="encryption")
        else:
            raise SignInAgain("The server takes no password at all.", cause="method")
        if code not in (235, 503):
            raise refusal(code, said)

    def leave(self) -> None:
        """QUIT, else just close. Never raises."""
        with contextlib.suppress(smtplib.SMTPException, OSError):
            if self.sock is not None:
                self.sock.settimeout(2.0)
                self.quit()
        self.close()

    def _ask_for_tls(self) -> None:
        if not self.has_extn("starttls"):
            raise Unreachable("no-starttls", "The server does not offer STARTTLS.")
        code, said = self.docmd("STARTTLS")
        if code != 220:
            raise Unreachable("no-starttls", "The server refused STARTTLS.", said=_text(said))

    def _read_ahead(self) -> bool:
        """Whether smtplib's reader holds more than the last answer."""
        if self.file is None or self.sock is None:
            return False
        self.sock.settimeout(0)
        try:
            return bool(self.file.peek())
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        finally:
            self.sock.settimeout(self.timeout)

    def _ready_for_tls(self) -> socket.socket:
        """A second connection up to an accepted STARTTLS, to look at its certificate."""
        second = smtplib.SMTP(timeout=CONNECT_SECONDS)
        second.sock = net.again(self._peer)
        second.file = None
        try:
            if second.getreply()[0] == 220 and second.ehlo()[0] == 250 and second.docmd("STARTTLS")[0] == 220:
                return second.sock
        except (OSError, smtplib.SMTPException) as error:
            second.close()
            raise NetError(str(error)) from error
        second.close()
        raise NetError("STARTTLS was refused the second time.")

    def _await_greeting(self, plain: socket.socket) -> None:
        """A port that says nothing is asked whether it wants TLS."""
        plain.settimeout(GREETING_PATIENCE)
        try:
            silent = not plain.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            silent = True
        if silent and tls.speaks_tls(self._peer, self._endpoint.host):
            raise Unreachable("speaks-tls", "The port wants TLS from the first byte.")


class _Bounded:
    """smtplib's reader, that gives up on a reply without end."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.lines = 0

    def readline(self, size: int = -1) -> bytes:
        self.lines += 1
        if self.lines > REPLY_LINES:
            raise Unreachable("protocol", "The server sends a reply without end.")
        return self._file.readline(size)

    def peek(self) -> bytes:
        return cast("io.BufferedReader", self._file).peek()

    def close(self) -> None:
        self._file.close()


class translated(contextlib.AbstractContextManager["translated"]):  # noqa: N801  # reads as a word: with translated
    """Whatever ``smtplib`` and ``net`` raise becomes one of ``providers.errors``, and the session is closed."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if error is None:
            return
        self.session.close()
        if isinstance(error, Exception) and not isinstance(error, ProviderError):
            found = _named(error)
            if found is not None:
                raise found from error


def refusal(code: int, said: bytes | str) -> ProviderError:
    """What a reply means; only its code decides, but for a few texts that say more (sync.md B11)."""
    text = f"{code} {_text(said)}"
    if _APP_PASSWORD.search(text):
        return SignInAgain("The server wants an app password.", said=text, cause="app-password")
    if _OFF.search(text):
        return SignInAgain("Sending with a password is switched off for this account.", said=text, cause="smtp-off")
    if 400 <= code < 500 or _BUSY.search(text):
        return TryLater("The server puts us off.", said=text)
    if code in (530, 534, 535, 538, 550, 554):
        return SignInAgain("The server refused the sign-in.", said=text, cause="password")
    return Refused("The server refused.", said=text)


def _named(error: Exception) -> ProviderError | None:
    if isinstance(error, NetError):
        return unreachable(error)
    if isinstance(error, smtplib.SMTPServerDisconnected):
        timed_out = isinstance(error.__context__, TimeoutError)
        return Unreachable("timeout" if timed_out else "lost", "The connection to the server was lost.")
    if isinstance(error, smtplib.SMTPResponseException):
        if error.smtp_code == -1:
            return Unreachable("protocol", "What answered is not an SMTP server.", said=_text(error.smtp_error))
        return refusal(error.smtp_code, error.smtp_error)
    if isinstance(error, TimeoutError):
        return Unreachable("timeout", "The server did not answer in time.")
    if isinstance(error, OSError | smtplib.SMTPException | ValueError):
        return Unreachable("lost", "The connection to the server was lost.")
    return None


def unreachable(error: NetError) -> Unreachable:
    """What ``net`` says, in the vocabulary of providers."""
    if not isinstance(error, BadCertificate):
        return Unreachable(error.cause, str(error))
    certificate = Certificate(**vars(error.shown)) if error.shown else None
    return Unreachable(error.cause, str(error), detail=error.detail, certificate=certificate)


def _welcome(code: int, said: bytes) -> None:
    """The greeting. ``connect`` of smtplib does not judge it."""
    if code == -1:
        raise Unreachable("protocol", "What answered is not an SMTP server.", said=_text(said))
    if code != 220:
        raise TryLater("The server puts us off.", said=f"{code} {_text(said)}")


def _demand(code: int, said: bytes) -> None:
    if code != 250:
        raise refusal(code, said)


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")


def _text(said: bytes | str) -> str:
    return said.decode("latin-1") if isinstance(said, bytes) else said
