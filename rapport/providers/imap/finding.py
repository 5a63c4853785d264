"""Finding messages: by SEARCH where it can be believed, in few words where the server can, else by looking at them."""

from collections.abc import Callable, Iterator
from datetime import date

from rapport.providers.errors import Refused
from rapport.providers.imap import commands, hearing
from rapport.providers.imap.commands import Command, plain
from rapport.providers.imap.hearing import Heard
from rapport.providers.imap.looking import believable
from rapport.providers.imap.responses import Fetched
from rapport.providers.imap.session import Session
from rapport.providers.profiles import Profile
from rapport.providers.uids import UidSet

SEEN_AT_ONCE = 10_000
"""Messages whose UIDs or dates a FETCH asks for at once."""


class Finder:
    """Finds UIDs in the folder that is selected."""

    def __init__(self, session: Session, profile: Profile) -> None:
        self._session = session
        self._profile = profile
        self._brief = profile.esearch

    def everything(self) -> tuple[UidSet, bool]:
        """Every UID, and whether it can be believed: whether there are as many as the folder has messages.

        Asked in other words while it cannot (sync.md hazards 28 and 30). Raises Refused where all of them are refused.
        """
        best, answered, refusal = UidSet(), False, None
        for way in self._ways():
            try:
                found = way()
            except Refused as error:
                refusal = error
                continue
            answered = True
            if believable(found, self._session.exists):
                return found, True
            best = max(best, found, key=len)
        if refusal and not answered:
            raise refusal
        return best, False

    def since(self, day: date) -> UidSet:
        """UIDs whose INTERNALDATE is on or after ``day``, as the server reckons days."""
        if self._profile.search:
            # The message that came last is the witness that a search left nothing out (sync.md hazard 30).
            last = self._session.exists
            witness = [plain("FETCH", b"%d" % last, b"(UID INTERNALDATE)")] if last else []
            heard = self._tried(lambda: self._search(b"SINCE " + commands.day(day), *witness))
            if heard and not _contradicted(heard, day):
                return heard.uids
        return self._seen(lambda fetched: fetched.date is None or fetched.date.date() >= day, b"(UID INTERNALDATE)")

    def among(self, uids: UidSet) -> UidSet:
        """Which of these there are. All of them, where SEARCH does not say."""
        if not self._profile.search:
            return uids
        asked = [plain("UID SEARCH", b"UID " + _text(piece)) for piece in uids.chunks(hearing.SLICE)]
        heard = self._tried(lambda: hearing.hear(self._session, asked))
        return heard.uids & uids if heard and heard.finds else uids

    def questions_in(self, span: UidSet, *, search: bool = True) -> list[Command]:
        """What to ask to find what lies in a range of UIDs."""
        if not span:
            return []
        if search and self._profile.search:
            return self._questions(b"UID " + _text(span), most=len(span))
        return [plain("UID FETCH", _text(span), b"(UID)")]

    def _ways(self) -> Iterator[Callable[[], UidSet]]:
        if self._profile.search:
            if self._can_be_brief():
                yield lambda: self._search(b"ALL").uids
            yield lambda: self._search_at_length(b"ALL").uids
        if self._session.exists:
            yield lambda: self._seen(lambda _: True, b"(UID)")

    def _search(self, criteria: bytes, *more: Command) -> Heard:
        """UIDs that match, in ranges where the server can (RFC 4731)."""
        if not self._can_be_brief():
            return self._search_at_length(criteria, *more)
        asked = self._questions(criteria, how=b"RETURN (ALL) ")
        heard = self._tried(lambda: hearing.hear(self._session, [*asked, *more]))
        if heard and heard.finds >= len(asked):
            return heard
        # Advertised, and not understood or not answered (sync.md hazard 28).
        self._brief = False
        return self._search_at_length(criteria, *more)

    def _search_at_length(self, criteria: bytes, *more: Command) -> Heard:
        return hearing.hear(self._session, [*self._questions(criteria), *more])

    def _tried(self, ask: Callable[[], Heard]) -> Heard | None:
        """What was heard, or None where the server refused."""
        try:
            return ask()
        except Refused:
            return None

    def _can_be_brief(self) -> bool:
        return self._brief and bool(self._session.client.capabilities & {"ESEARCH", "IMAP4REV2"})

    def _questions(self, criteria: bytes, *, how: bytes = b"", most: int | None = None) -> list[Command]:
        """One search, or one for each slice of positions where there could be too many to tell in one line."""
        exists = self._session.exists
        if exists <= hearing.SLICE or (most is not None and most <= hearing.SLICE):
            return [plain("UID SEARCH", how + criteria)]
        lows = range(1, exists + 1, hearing.SLICE)
        return [
            plain("UID SEARCH", how + b"%d:%d" % (low, min(low + hearing.SLICE - 1, exists)), criteria) for low in lows
        ]

    def _seen(self, wanted: Callable[[Fetched], bool], items: bytes) -> UidSet:
        """UIDs of the messages that fit, looked at from the last to the first.

        By position, since nobody knows their UIDs. Whatever is expunged meanwhile moves messages down, so going down
        they are met twice at worst, and not missed (sync.md hazard 18).
        """
        highs = range(self._session.exists, 0, -SEEN_AT_ONCE)
        asked = [plain("FETCH", b"%d:%d" % (max(1, high - SEEN_AT_ONCE + 1), high), items) for high in highs]
        heard = (one for one in self._session.stream(asked) if isinstance(one, Fetched) and wanted(one))
        return UidSet.of(one.uid for one in heard if one.uid)


def _contradicted(heard: Heard, day: date) -> bool:
    """Whether a search since a day left out a message that is as new."""
    one = heard.dated
    return bool(one and one.uid and one.date and one.date.date() >= day and one.uid not in heard.uids)


def _text(uids: UidSet) -> bytes:
    return str(uids).encode("ascii")
