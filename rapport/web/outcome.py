"""How a test of a mailbox's servers went, as the page shows it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from rapport.connect.test import Result, Settings
from rapport.connect.words import Words
from rapport.web import forms

SIDES: tuple[Literal["incoming", "outgoing"], ...] = ("incoming", "outgoing")
DEFAULT_PERIOD = "3m"


@dataclass(frozen=True)
class Side:
    """How one server's part of the test went."""

    side: Literal["incoming", "outgoing"]
    where: str
    words: Words | None
    milliseconds: int
    security: str
    fix: Mapping[str, str]
    """Fields to change, and their new values, behind a button."""
    fix_label: str

    @property
    def label(self) -> str:
        """What it is called on the page."""
        return "Incoming mail" if self.side == "incoming" else "Outgoing mail"

    @property
    def fix_query(self) -> str:
        """The changes, as the script reads them."""
        return urlencode(self.fix)

    @property
    def fingerprint(self) -> str:
        """The certificate's, in pairs as other programs show it."""
        digest = self.words.certificate.sha256.upper() if self.words and self.words.certificate else ""
        return ":".join(digest[at : at + 2] for at in range(0, len(digest), 2))

    @property
    def valid(self) -> tuple[datetime, datetime] | None:
        """From when until when the certificate is good."""
        shown = self.words.certificate if self.words else None
        return (datetime.fromisoformat(shown.not_before), datetime.fromisoformat(shown.not_after)) if shown else None


@dataclass(frozen=True)
class Outcome:
    """What a test, or the look at the form before it, has found."""

    settings: Settings | None = None
    result: Result | None = None
    kept: UUID | None = None
    """The settings that passed and now wait for Connect."""
    errors: Mapping[str, str] | None = None

    @property
    def sides(self) -> Sequence[Side]:
        """Both servers."""
        return [self._side(side) for side in SIDES] if self.settings and self.result else []

    @property
    def troubles(self) -> Sequence[Side]:
        """What to explain: a cause that both servers share, once."""
        told: dict[tuple[str, str, str], Side] = {}
        for side in self.sides:
            if side.words:
                told.setdefault((side.words.title, side.words.text, side.fingerprint), side)
        return list(told.values())

    @property
    def invalid(self) -> str:
        """The fields to mark, separated by blanks."""
        if self.errors:
            return " ".join(self.errors)
        marked = [field for side in self.sides if side.words for field in _at_fault(side.side, side.words.cause)]
        return " ".join(dict.fromkeys(marked))

    @property
    def folders(self) -> int:
        """How many there are to choose from."""
        return sum(folder.selectable for folder in self.result.folders) if self.result else 0

    @property
    def recent(self) -> int:
        """Emails of the default period."""
        return (self.result.per_period or {}).get(DEFAULT_PERIOD, 0) if self.result else 0

    def _side(self, side: Literal["incoming", "outgoing"]) -> Side:
        if self.settings is None or self.result is None:
            raise ValueError(side)
        endpoint = self.settings.incoming if side == "incoming" else self.settings.outgoing
        words = self.result.incoming if side == "incoming" else self.result.outgoing
        fix, label = _fix(side, words, self.result)
        return Side(
            side=side,
            where=f"{endpoint.host}:{endpoint.port}",
            words=words,
            milliseconds=self.result.milliseconds[SIDES.index(side)],
            security=dict(forms.SECURITIES)[endpoint.security.value],
            fix=fix,
            fix_label=label,
        )


def _fix(side: str, words: Words | None, result: Result) -> tuple[Mapping[str, str], str]:
    """What one click changes. A certificate is allowed wherever this very one was shown (D8)."""
    if words is None:
        return {}, ""
    if words.certificate is None:
        return dict(words.fix), words.fix_label
    same = {
        f"{other}_pin": words.certificate.sha256
        for other, others in (("incoming", result.incoming), ("outgoing", result.outgoing))
        if other == side or (others and others.certificate and others.certificate.sha256 == words.certificate.sha256)
    }
    return same, "Allow for this mailbox"


def _at_fault(side: str, cause: str) -> Sequence[str]:
    """The fields a person looks at first."""
    match cause:
        case "password" | "app-password":
            return ["password"]
        case "username":
            return ["username"]
        case "name":
            return [f"{side}_host"]
        case "speaks-tls" | "speaks-plain" | "no-starttls":
            return [f"{side}_security"]
        case "refused" | "timeout" | "forbidden" | "protocol":
            return [f"{side}_host", f"{side}_port"]
        case _:
            return []
