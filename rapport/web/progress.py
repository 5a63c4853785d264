"""How far a first sync is, and about how long it still takes."""

from dataclasses import dataclass
from datetime import timedelta

from django.utils.timezone import now

from rapport.mail.models import Account

SETTLED = timedelta(seconds=5)
"""A pace measured over less than that says nothing."""


@dataclass(frozen=True)
class Progress:
    """How far the first sync is."""

    done: int
    whole: int
    running: bool
    left: timedelta | None

    @property
    def percent(self) -> float:
        """For the bar."""
        return round(100 * self.done / self.whole, 1) if self.whole else 0.0

    @property
    def left_in_words(self) -> str:
        """About how long it still takes."""
        if self.left is None:
            return ""
        minutes = round(self.left.total_seconds() / 60)
        if minutes < 1:
            return "less than a minute left"
        if minutes < 90:
            return f"about {minutes} {'minute' if minutes == 1 else 'minutes'} left"
        return f"about {round(minutes / 60)} hours left"


def progress(account: Account, counted: tuple[int, int] | None, here: int) -> Progress:
    """From what was fetched and what is to be fetched in all, at the pace so far; ``here`` once it is over."""
    if account.state != Account.State.NEW:
        return Progress(here, here, running=False, left=None)
    done, whole = counted or (0, 0)
    spent = now() - account.connected_at
    left = spent * (whole - done) / done if done and spent > SETTLED else None
    return Progress(done, whole, running=True, left=left)
