"""What an email brings besides its text, in words: an invitation, and what became of an email sent before.

Both are what somebody else says: shown, never acted on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.formats import date_format
from django.utils.timezone import localtime

Told = Mapping[str, Any]  # JSON, as ``mail.models.Body`` keeps it: ``mime.message`` has the fields
NAMED = 3
"""That many people are named; of the others the number is said."""

_METHODS = {
    "REQUEST": "{who} invites you",
    "CANCEL": "{who} cancelled this",
    "PUBLISH": "{who} announces",
    "COUNTER": "{who} proposes another time",
    "ADD": "{who} adds a date",
    "REFRESH": "{who} asks for the newest version",
    "DECLINECOUNTER": "{who} keeps to the time",
}
_ANSWERS = {"ACCEPTED": "accepts", "DECLINED": "declines", "TENTATIVE": "may come", "DELEGATED": "sends somebody else"}
_OUTCOMES = {
    "failed": "Not delivered to {whom}",
    "delayed": "Not delivered to {whom} yet; their server goes on trying",
    "delivered": "Delivered to {whom}",
    "relayed": "Passed on for {whom}, to a server that does not report back",
    "expanded": "Delivered to {whom}, who pass it on to a list",
    "displayed": "Opened by {whom}",
    "deleted": "Deleted unread by {whom}",
    "dispatched": "Forwarded by {whom}",
    "processed": "Handled by a machine for {whom}",
}
BAD = ("failed", "deleted")


@dataclass(frozen=True)
class Invitation:
    """A card: who, what, when, where."""

    title: str
    summary: str
    when: str
    where: str
    people: str
    cancelled: bool


@dataclass(frozen=True)
class Outcome:
    """What became of an email on its way to one recipient."""

    text: str
    reason: str
    """What the other server said."""
    bad: bool


def invitation(told: Told | None, sender: str) -> Invitation | None:
    """The card for a calendar entry; ``sender`` is who wrote the email it came in."""
    if not told:
        return None
    method = told["method"]
    who = sender if method == "REPLY" else _name(told["organiser"]) or sender
    words = (
        f"{{who}} {_ANSWERS.get(told['answer'], 'answered')}" if method == "REPLY" else _METHODS.get(method, "{who}")
    )
    return Invitation(
        title=words.format(who=who),
        summary=told["summary"] or "No title",
        when=_when(told),
        where=told["location"],
        people=_people([_name(one) for one in told["attendees"]]),
        cancelled=method == "CANCEL",
    )


def outcomes(told: Told | None) -> Sequence[Outcome]:
    """A line for each recipient that a report is about."""
    if not told:
        return ()
    return [_outcome(one) for one in told["deliveries"]]


def _outcome(delivery: Told) -> Outcome:
    whom, action = delivery["address"] or "a recipient", delivery["action"]
    return Outcome(
        text=_OUTCOMES[action].format(whom=whom) if action in _OUTCOMES else f"{whom}: {action}",
        reason=" ".join(filter(None, (delivery["status"], delivery["reason"]))),
        bad=action in BAD,
    )


def _name(address: Told | None) -> str:
    return (address["name"] or address["address"]) if address else ""


def _people(names: Sequence[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


def _when(told: Told) -> str:
    """From when until when, at this reader's clock; a time of no known zone as it was written."""
    if not told["start"]:
        return ""
    start, end = (datetime.fromisoformat(told[side]) if told[side] else None for side in ("start", "end"))
    if start is None:
        return ""
    if told["all_day"]:
        # It ends at the midnight after its last day (RFC 5545, 3.6.1).
        last = end - timedelta(days=1) if end else start
        words = _day(start) if last <= start else f"{_day(start)} – {_day(last)}"
    else:
        kept = (lambda moment: moment) if told["floating"] else localtime
        words = _span(kept(start), kept(end) if end else None) + (
            ", at the local time there" if told["floating"] else ""
        )
    return words + (", repeating" if told["recurring"] else "")


def _span(start: datetime, end: datetime | None) -> str:
    begins = f"{_day(start)}, {start:%H:%M}"
    if end is None or end <= start:
        return begins
    return f"{begins} – {end:%H:%M}" if end.date() == start.date() else f"{begins} – {_day(end)}, {end:%H:%M}"


def _day(moment: datetime) -> str:
    return date_format(moment, "l j F Y")
