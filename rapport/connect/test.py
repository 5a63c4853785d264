"""Testing settings against the real servers, incoming and outgoing, before anything is stored (S20)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.timezone import now

from rapport.connect import keys, opening, words
from rapport.connect.models import KEPT, Tested
from rapport.connect.words import Words
from rapport.net import Policy
from rapport.people.models import User
from rapport.providers import imap, smtp
from rapport.providers.contract import Endpoint, Login, Provider, RemoteFolder, Role, Security
from rapport.providers.errors import ProviderError

__all__ = ["Endpoint", "FoundFolder", "Result", "Settings", "TooLate", "keep", "kept", "server", "try_out"]

PERIODS = {"now": timedelta(0), "1m": timedelta(days=30), "3m": timedelta(days=91), "6m": timedelta(days=182)}
"""How far back each choice goes (S14)."""
HIGHEST_PORT = 65535
DEFAULT_ROLES = (Role.INBOX, Role.SENT, Role.DRAFTS, Role.ARCHIVE)
"""Folders that are chosen until somebody chooses otherwise."""


@dataclass(frozen=True)
class Settings:
    """Everything a connection needs but the password."""

    address: str
    """Lower case."""
    kind: str
    """``shared`` or ``personal``."""
    username: str
    """Empty: the address."""
    incoming: Endpoint
    outgoing: Endpoint

    def login(self, password: str) -> Login:
        """Who signs in with them."""
        return Login(self.username or self.address, password)


@dataclass(frozen=True)
class FoundFolder:
    """A folder the test found."""

    wire: str
    """The server's spelling, latin-1."""
    name: str
    """The whole path, for people."""
    leaf: str
    depth: int
    role: str
    selectable: bool
    count: int | None
    """How many emails it holds, where the server says so."""
    delimiter: str = ""


@dataclass(frozen=True)
class Result:
    """What the test found. ``incoming`` and ``outgoing`` are ``None`` where all is well, else say what is not."""

    incoming: Words | None
    outgoing: Words | None
    folders: Sequence[FoundFolder] = ()
    per_period: Mapping[str, int] | None = None
    """How many emails of the default folders each period means: ``now``, ``1m``, ``3m``, ``6m`` (S14)."""
    milliseconds: tuple[int, int] = (0, 0)
    """How long incoming and outgoing took."""

    @property
    def passed(self) -> bool:
        """Both servers accepted the sign-in."""
        return self.incoming is None and self.outgoing is None


class TooLate(Exception):
    """The tested settings waited longer than 15 minutes, or are somebody else's: test again."""


def try_out(settings: Settings, password: str, *, by: User | None = None, policy: Policy | None = None) -> Result:  # noqa: ARG001
    """Sign in to both servers. Stores nothing; takes as long as the servers do, at most about 20 seconds."""
    policy = policy or opening.policy()
    began = time.monotonic()
    incoming, found, counts = _try_incoming(settings, password, policy)
    between = time.monotonic()
    outgoing = _try_outgoing(settings, password, policy, receiving_works=incoming is None)
    took = (round((between - began) * 1000), round((time.monotonic() - between) * 1000))
    return Result(incoming, outgoing, found, counts, took)


def keep(user: User, settings: Settings, password: str, result: Result) -> Tested:
    """Let what passed wait for Connect, its password sealed."""
    Tested.objects.filter(at__lt=now() - KEPT).delete()
    tested = Tested(user=user, settings=asdict(settings), folders=_kept(result))
    tested.sealed = keys.seal(password, _place(tested))
    tested.save()
    return tested


def kept(user: User, uuid: UUID) -> tuple[Settings, str, Sequence[FoundFolder], Mapping[str, int]]:
    """What waits: settings, password, folders, emails per period. Raises TooLate."""
    tested = Tested.objects.filter(user=user, uuid=uuid, at__gte=now() - KEPT).first()
    if tested is None:
        raise TooLate
    found = [FoundFolder(**folder) for folder in tested.folders["found"]]
    return settings_of(tested), keys.unseal(bytes(tested.sealed), _place(tested)), found, tested.folders["per_period"]


def settings_of(tested: Tested) -> Settings:
    """The settings that wait, whether or not it is too late to use them."""
    told = tested.settings
    return Settings(
        told["address"], told["kind"], told["username"], _endpoint(told["incoming"]), _endpoint(told["outgoing"])
    )


def server(text: str) -> Endpoint:
    """A server as it is typed: ``imap.example.org:993/ssl``, ``[::1]:143/none``. Raises ValueError with words."""
    place, slash, security = text.rpartition("/")
    host, colon, port = place.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not (slash and colon and host and port.isdecimal() and 0 < int(port) <= HIGHEST_PORT):
        raise ValueError(f"{text!r} is not HOST:PORT/ssl, HOST:PORT/starttls or HOST:PORT/none")
    if security not in set(Security):
        raise ValueError(f"{security!r} is not ssl, starttls or none")
    return Endpoint(host, int(port), Security(security))


def period_start(period: str, at: datetime) -> datetime | None:
    """From when on emails are wanted; ``None`` for all of them. Raises KeyError for an unknown period."""
    return None if period == "all" else at - PERIODS[period]


def _try_incoming(
    settings: Settings, password: str, policy: Policy
) -> tuple[Words | None, Sequence[FoundFolder], Mapping[str, int]]:
    try:
        mailbox = imap.sign_in(settings.incoming, settings.login(password), policy=policy)
    except ProviderError as error:
        return words.incoming(error, settings.incoming), (), {}
    try:
        folders = mailbox.folders()
        return None, [_found(folder) for folder in folders], _per_period(mailbox, folders)
    except ProviderError as error:
        return words.incoming(error, settings.incoming), (), {}
    finally:
        mailbox.close()


def _try_outgoing(settings: Settings, password: str, policy: Policy, *, receiving_works: bool) -> Words | None:
    try:
        smtp.check(settings.outgoing, settings.login(password), policy=policy)
    except ProviderError as error:
        return words.outgoing(error, settings.outgoing, receiving_works=receiving_works)
    return None


def _found(folder: RemoteFolder) -> FoundFolder:
    steps = folder.name.split(folder.delimiter) if folder.delimiter else [folder.name]
    return FoundFolder(
        wire=folder.wire.decode("latin-1"),
        name=folder.name,
        leaf=steps[-1],
        depth=len(steps) - 1,
        role=folder.role.value,
        selectable=folder.selectable,
        count=folder.state.exists if folder.state else None,
        delimiter=folder.delimiter,
    )


def _per_period(mailbox: Provider, folders: Sequence[RemoteFolder]) -> Mapping[str, int]:
    """Asked of the server by SEARCH: what each choice of period would bring in."""
    wanted = [folder.wire for folder in folders if folder.selectable and folder.role in DEFAULT_ROLES]
    today = now()
    return {
        period: sum(len(mailbox.since(wire, (today - back).date())) for wire in wanted) if back else 0
        for period, back in PERIODS.items()
    }


def _kept(result: Result) -> dict[str, object]:
    return {"found": [asdict(folder) for folder in result.folders], "per_period": dict(result.per_period or {})}


def _endpoint(told: Mapping[str, str]) -> Endpoint:
    return Endpoint(told["host"], int(told["port"]), Security(told["security"]), told["pinned"])


def _place(tested: Tested) -> str:
    return f"connect_tested:{tested.uuid}:sealed"
