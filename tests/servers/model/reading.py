"""Commands that read the selected folder: FETCH and SEARCH, and all the ways servers have of getting them wrong."""

import random
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from tests.servers.model.folders import vanished
from tests.servers.model.quirks import Quirk
from tests.servers.model.searching import Criteria
from tests.servers.model.session import Bad, Bye, Command, No, Numbers, Session, as_set, atom
from tests.servers.model.truth import Letter
from tests.servers.model.wire import Token, quoted

MACROS = {"FAST": ["FLAGS", "INTERNALDATE", "RFC822.SIZE"]}
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
CAP = 5
"""How many UIDs a capped SEARCH tells."""
HUGE = 4_000_000_000
_PART = re.compile(r"(BODY|BODY\.PEEK)\[([^\]]*)\](?:<(\d+)\.(\d+)>)?\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Asked:
    """What a FETCH wants."""

    items: tuple[str, ...]
    changed_since: int | None
    vanished: bool
    by_uid: bool

    @property
    def bodies(self) -> bool:
        """Whether it wants whole messages."""
        return any(item.startswith(("BODY[", "BODY.PEEK[", "RFC822")) and item != "RFC822.SIZE" for item in self.items)


def fetch(session: Session, arguments: list[Token]) -> str:
    return _fetch(session, arguments, by_uid=False)


def uid_fetch(session: Session, arguments: list[Token]) -> str:
    return _fetch(session, arguments, by_uid=True)


def _fetch(session: Session, arguments: list[Token], *, by_uid: bool) -> str:
    asked = _asked(session, arguments[1:], by_uid=by_uid)
    if asked.bodies and session.has(Quirk.THROTTLED):
        raise No("Request is throttled. Suggested Backoff Time: 2500 milliseconds")
    uids = among(session, atom(arguments[0]), by_uid=by_uid)
    if asked.vanished:
        vanished(
            session, session.box(), asked.changed_since or 0, Numbers(atom(arguments[0]), session.box().uidnext - 1)
        )
    rows = [(sequence, uid, session.box().letters.get(uid)) for sequence, uid in _numbered(session, uids)]
    present = [(sequence, uid, letter) for sequence, uid, letter in rows if letter]
    if asked.changed_since is not None:
        present = [row for row in present if row[2].modseq > asked.changed_since]
    _give(session, present, asked)
    if session.has(Quirk.EXPUNGE_ISSUED) and session.server.first("EXPUNGEISSUED", session.number):
        raise No("[EXPUNGEISSUED] Some of the requested messages no longer exist.")
    return "Fetched."


def _asked(session: Session, rest: list[Token], *, by_uid: bool) -> Asked:
    words = rest[0] if isinstance(rest[0], list) else [rest[0]]
    items = [atom(word).upper() for word in words]
    items = MACROS.get(items[0], items)
    modifiers = [atom(word).upper() for word in rest[1]] if len(rest) > 1 and isinstance(rest[1], list) else []
    since = None
    if "CHANGEDSINCE" in modifiers:
        session.needs("CONDSTORE")
        since = int(modifiers[modifiers.index("CHANGEDSINCE") + 1])
        if since < 1:
            # mod-sequence-value is at least 1 here (RFC 7162, 7; hazard 11).
            raise Bad("CHANGEDSINCE 0.")
        items = [*items, "MODSEQ"] if "MODSEQ" not in items else items
    if "VANISHED" in modifiers and not (by_uid and since and "QRESYNC" in session.enabled):
        raise Bad("VANISHED wants UID, CHANGEDSINCE and QRESYNC.")
    if "MODSEQ" in items:
        session.needs("CONDSTORE")
        session.enabled.add("CONDSTORE")
    if by_uid and "UID" not in items:
        items = ["UID", *items]
    return Asked(tuple(items), since, "VANISHED" in modifiers, by_uid)


def among(session: Session, text: str, *, by_uid: bool) -> list[int]:
    """The UIDs a set names, of those the client knows of. Raises Bad."""
    told = session.told.uids if session.told else []
    if not by_uid:
        wanted = Numbers(text, len(told))
        if not told or not all(low >= 1 and high <= len(told) for low, high in wanted.spans):
            raise Bad("No such message.")
        return [told[number - 1] for number in wanted.of(range(1, len(told) + 1))]
    last = max(told, default=0)
    if session.has(Quirk.RANGE_FINDS_LAST) and told and min(_bounds(text, last), default=0) > last:
        return [last]
    return Numbers(text, last).of(told)


def _bounds(text: str, star: int) -> list[int]:
    return [star if end == "*" else int(end) for end in re.split("[,:]", text)]


def _numbered(session: Session, uids: Iterable[int]) -> list[tuple[int, int]]:
    places = {uid: place for place, uid in enumerate(session.told.uids if session.told else [], 1)}
    return [(places[uid], uid) for uid in uids]


def _give(session: Session, rows: list[tuple[int, int, Letter]], asked: Asked) -> None:
    """The FETCH responses, honest ones or not."""
    rows = _bent(session, rows, asked)
    half = len(rows) // 2
    for place, (sequence, uid, letter) in enumerate(rows):
        if asked.bodies and place == half and session.has(Quirk.BYE_MID_FETCH):
            raise Bye("System shutdown.")
        if place == half and session.has(Quirk.EXPUNGE_DURING_FETCH):
            session.tell(flags=False)
        _gossip(session, sequence, uid, letter)
        _one(session, sequence, uid, letter, asked)
    if session.has(Quirk.MODSEQ_UNSOLICITED) and rows:
        sequence, uid, letter = rows[0]
        session.say(f"{sequence} FETCH (UID {uid} FLAGS ({_flags(letter)}) MODSEQ (999999999999))")


def _bent(session: Session, rows: list[tuple[int, int, Letter]], asked: Asked) -> list[tuple[int, int, Letter]]:
    """Which messages come, in which order."""
    ghost = session.server.ghost(session)
    if asked.bodies and ghost in [uid for _, uid, _ in rows]:
        if session.has(Quirk.GHOST_REFUSED):
            raise No("Message cannot be read.")
        if session.has(Quirk.GHOST_SILENT) or session.has(Quirk.FETCH_NEVER_GIVES):
            rows = [row for row in rows if row[1] != ghost]
    if session.has(Quirk.FETCH_SKIPS) and len(rows) > 1:
        rows = rows[:1] + rows[2:]
    if session.has(Quirk.FETCH_SHUFFLED):
        rows = random.Random(len(rows)).sample(rows, len(rows))
    return rows


def _gossip(session: Session, sequence: int, uid: int, letter: Letter) -> None:
    """What nobody asked for."""
    if session.has(Quirk.FETCH_WITHOUT_UID):
        session.say(f"{sequence} FETCH (FLAGS (\\Flagged) INTERNALDATE {_date(letter.when)} RFC822.SIZE 1)")
    if session.has(Quirk.FETCH_GOSSIP):
        session.say(f"{sequence} FETCH (FLAGS (\\Draft))")
        session.say(f"{sequence} FETCH (UID {uid} FLAGS ({_flags(letter)}))")


def _one(session: Session, sequence: int, uid: int, letter: Letter, asked: Asked) -> None:
    items = asked.items
    if _mark_read(session, letter, uid, asked) and "FLAGS" not in items:
        items = (*items, "FLAGS")
    if "FLAGS" in items and session.told:
        session.told.modseqs[uid] = letter.modseq
    parts = [_item(session, item, uid, letter) for item in items]
    if session.has(Quirk.FETCH_SPLIT) and len(parts) > 2:
        for part in parts[1:]:
            session.say(b"%d FETCH (%s %s)" % (sequence, parts[0], part))
        return
    word = b"fetch" if session.has(Quirk.SPELLED_ODDLY) else b"FETCH"
    session.say(b"%d %s (%s)" % (sequence, word, b" ".join(parts)))


def _mark_read(session: Session, letter: Letter, uid: int, asked: Asked) -> bool:
    """Without PEEK reading marks as read (RFC 9051, 6.4.5); whether it did now."""
    loud = any(item in {"RFC822", "RFC822.TEXT"} or item.startswith("BODY[") for item in asked.items)
    if not loud or "\\Seen" in letter.flags or session.told is None or session.told.read_only:
        return False
    session.box().set_flags(uid, letter.flags | {"\\Seen"})
    return True


def _item(session: Session, item: str, uid: int, letter: Letter) -> bytes:
    oddly = session.has(Quirk.SPELLED_ODDLY)
    if item == "UID":
        return b"uid %d" % uid if oddly else b"UID %d" % uid
    if item == "FLAGS":
        return b"FLAGS (%s)" % _flags(letter).encode("latin-1")
    if item == "INTERNALDATE":
        date = _date(letter.when, odd=oddly)
        return f"INTERNALDATE {date[:-1] if session.has(Quirk.QUOTE_OPEN) else date}".encode()
    if item == "RFC822.SIZE":
        return b"RFC822.SIZE %d" % (3 if session.has(Quirk.SIZE_LIES) else len(letter.raw))
    if item == "MODSEQ":
        return b"MODSEQ (%d)" % letter.modseq
    return _body(session, item, uid, letter.raw)


def _body(session: Session, item: str, uid: int, raw: bytes) -> bytes:
    """A part of a message, as a literal."""
    name, octets = _part(item, raw)
    session.server.bodies += octets == raw
    if uid == session.server.ghost(session) and session.has(Quirk.GHOST_EMPTY):
        octets = b""
    if session.has(Quirk.SPELLED_ODDLY):
        name = b"RFC822" if name == b"BODY[]" else name
        if len(octets) < 300 and not re.search(rb"[\r\n\0\x80-\xff]", octets):
            return name + b" " + quoted(octets)
    size = len(octets)
    if session.has(Quirk.LITERAL_SHORT):
        size -= 5
    elif session.has(Quirk.LITERAL_LONG):
        size += 5
    elif session.has(Quirk.LITERAL_HUGE) and uid == session.server.ghost(session):
        size = HUGE
    return b"%s {%d}\r\n%s" % (name, size, octets)


def _part(item: str, raw: bytes) -> tuple[bytes, bytes]:
    """The name of a part in the answer, and its octets. Raises Bad."""
    head, found, text = raw.partition(b"\r\n\r\n")
    head += found
    whole = {"RFC822": raw, "RFC822.HEADER": head, "RFC822.TEXT": text}
    if item in whole:
        return item.encode(), whole[item]
    part = _PART.match(item)
    sections = {"": raw, "HEADER": head, "TEXT": text}
    if not part:
        raise Bad("Unknown FETCH item.")
    if part[2] in sections:
        octets = sections[part[2]]
    elif part[2].startswith("HEADER.FIELDS ("):
        octets = _fields(head, part[2][15:-1].split())
    else:
        raise Bad("Unknown section.")
    name = f"BODY[{part[2]}]"
    if part[3] is None:
        return name.encode(), octets
    return f"{name}<{part[3]}>".encode(), octets[int(part[3]) :][: int(part[4])]


def _fields(head: bytes, names: list[str]) -> bytes:
    """Some headers, and the empty line."""
    lines = re.findall(rb"[^\r\n]+(?:\r\n[ \t][^\r\n]*)*\r\n", head)
    wanted = {name.lower().encode() for name in names}
    return b"".join(line for line in lines if line.partition(b":")[0].lower() in wanted) + b"\r\n"


def _flags(letter: Letter) -> str:
    return " ".join(sorted(letter.flags))


def _date(when: datetime, *, odd: bool = False) -> str:
    day = f"{when.day}" if odd else f"{when.day:2}"
    return f'"{day}-{MONTHS[when.month - 1]}-{when.year:04} {when:%H:%M:%S %z}"'


def search(session: Session, arguments: list[Token]) -> str:
    return _search(session, arguments, by_uid=False)


def uid_search(session: Session, arguments: list[Token]) -> str:
    return _search(session, arguments, by_uid=True)


def _search(session: Session, arguments: list[Token], *, by_uid: bool) -> str:
    """SEARCH, and with RETURN its extended answer (RFC 4731)."""
    wanted, rest = _return(session, arguments)
    if session.has(Quirk.SEARCH_REFUSED):
        raise No("Searching is out of order.")
    late = timedelta(days=1) if session.has(Quirk.SINCE_A_DAY_LATE) else timedelta()
    criteria = Criteria(rest, session.told.uids if session.told else [], late)
    here = session.box().letters
    hits = [
        (sequence, uid)
        for sequence, uid in _numbered(session, session.told.uids if session.told else [])
        if uid in here and criteria.match(sequence, uid, here[uid])
    ]
    if session.has(Quirk.SEARCH_EMPTY):
        hits = []
    if session.has(Quirk.SEARCH_CAPPED):
        hits = hits[:CAP]
    found = [uid if by_uid else sequence for sequence, uid in hits]
    if not found and criteria.range_above_all and session.has(Quirk.RANGE_FINDS_LAST) and session.told:
        found = session.told.uids[-1:]
    highest = max((here[uid].modseq for _, uid in hits), default=0) if criteria.by_modseq else 0
    _say_found(session, found, wanted, highest, by_uid=by_uid)
    return "Searched."


def _return(session: Session, arguments: list[Token]) -> tuple[list[str] | None, list[Token]]:
    if atom(arguments[0] if not isinstance(arguments[0], list) else b"").upper() != "RETURN":
        return None, arguments
    session.needs("ESEARCH")
    if session.has(Quirk.ESEARCH_UNKNOWN):
        raise Bad("Unknown search key RETURN.")
    options = arguments[1] if isinstance(arguments[1], list) else []
    return [atom(word).upper() for word in options] or ["ALL"], arguments[2:]


def _say_found(session: Session, found: list[int], wanted: list[str] | None, highest: int, *, by_uid: bool) -> None:
    """The answer; a search by mod-sequence also tells the ``highest`` it found (RFC 7162, 3.1.5)."""
    if wanted is None:
        session.say("SEARCH" + "".join(f" {number}" for number in found) + (f" (MODSEQ {highest})" if highest else ""))
        return
    if session.has(Quirk.ESEARCH_SILENT):
        return
    values = {"COUNT": str(len(found))}
    if found:
        values |= {"MIN": str(min(found)), "MAX": str(max(found)), "ALL": as_set(found)}
    tag = session.server.tag_of(session.number)
    said = "".join(
        f" {option} {values[option]}"
        for option in ("MIN", "MAX", "ALL", "COUNT")
        if option in wanted and option in values
    )
    session.say(f'ESEARCH (TAG "{tag}"){" UID" if by_uid else ""}{said}')


COMMANDS: dict[str, Command] = {
    "FETCH": fetch,
    "UID FETCH": uid_fetch,
    "SEARCH": search,
    "UID SEARCH": uid_search,
}
