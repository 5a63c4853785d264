"""Holding an account: one worker at a time, and a commit by the one who lost it fails."""

import os
import socket
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.db.models import Q
from django.utils.timezone import now

from rapport.mail.models import Account

FOR = timedelta(minutes=2)


class Lost(Exception):
    """Another worker holds the account now: whatever this one was about to commit is void."""


@dataclass
class Hold:
    """A claim on an account that lapses by itself. Its moment only grows, so the moment is the token (fencing)."""

    account: int
    until: datetime

    def renew(self) -> None:
        """Inside the transaction that commits: prove the claim and stretch it. Raises Lost."""
        until = max(now() + FOR, self.until + timedelta(microseconds=1))
        if Account.objects.filter(pk=self.account, held_until=self.until).update(held_until=until) != 1:
            raise Lost
        self.until = until

    def keep(self) -> None:
        """Between two commits that take long: stretch the claim before it lapses. Raises Lost."""
        if self.until - now() < FOR / 2:
            self.renew()

    def release(self) -> None:
        """Let others have it at once. Nothing happens when it is lost already."""
        Account.objects.filter(pk=self.account, held_until=self.until).update(held_until=now(), holder="")


def take(account: Account) -> Hold | None:
    """The claim, or ``None`` when another worker holds the account. What a dead process of this machine holds is free."""
    at = now()
    row = Account.objects.filter(pk=account.pk).values("held_until", "holder").first()
    if row is None or (row["held_until"] and row["held_until"] > at and not _is_dead(row["holder"])):
        return None
    until = max(at + FOR, (row["held_until"] or at) + timedelta(microseconds=1))
    unchanged = Account.objects.filter(Q(held_until=row["held_until"]), pk=account.pk)
    return Hold(account.pk, until) if unchanged.update(held_until=until, holder=_me()) == 1 else None


def _me() -> str:
    pid = os.getpid()
    return f"{socket.gethostname()} {pid} {_born(pid)}"


def _is_dead(holder: str) -> bool:
    """A process of this machine that is certainly gone. Of other machines nothing is known but the time."""
    host, _, rest = holder.partition(" ")
    pid, _, born = rest.partition(" ")
    return host == socket.gethostname() and pid.isdigit() and bool(born) and _born(int(pid)) != born


def _born(pid: int) -> str:
    """When a process began, in clock ticks since boot (proc(5), stat field 22): a pid may be given again."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
