"""Commands that change the selected folder or another one: STORE, APPEND, COPY, MOVE, EXPUNGE."""

import re
from datetime import datetime

from tests.servers.model.reading import MONTHS, among
from tests.servers.model.session import Bad, Command, No, Session, as_set, atom, folder_name, raw
from tests.servers.model.truth import Box, NoSuchFolder
from tests.servers.model.wire import Token

_SYSTEM = {flag.lower(): flag for flag in ("\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft")}
_DATE = re.compile(r" ?(\d{1,2})-(\w{3})-(\d{4}) (\d\d:\d\d:\d\d [+-]\d{4})")


def store(session: Session, arguments: list[Token]) -> str:
    return _store(session, arguments, by_uid=False)


def uid_store(session: Session, arguments: list[Token]) -> str:
    return _store(session, arguments, by_uid=True)


def _store(session: Session, arguments: list[Token], *, by_uid: bool) -> str:
    if session.told is None or session.told.read_only:
        raise No("Opened for reading only.")
    how, silent = re.fullmatch(r"([+-]?)FLAGS(\.SILENT)?", atom(arguments[1]).upper()), False
    if not how:
        raise Bad("Not a way to store.")
    silent = bool(how[2])
    given = _flags(arguments[2])
    box = session.box()
    for uid in among(session, atom(arguments[0]), by_uid=by_uid):
        letter = box.letters.get(uid)
        if letter is None:
            continue
        box.set_flags(uid, {"": given, "+": letter.flags | given, "-": letter.flags - given}[how[1]])
        _tell(session, uid, box, silent=silent)
    return "Stored."


def _tell(session: Session, uid: int, box: Box, *, silent: bool) -> None:
    """Even .SILENT tells the mod-sequence where mod-sequences are on (RFC 7162, 3.1.3)."""
    assert session.told is not None
    letter, condstore = box.letters[uid], "CONDSTORE" in session.enabled
    session.told.modseqs[uid] = letter.modseq
    items = [f"UID {uid}"] + ([] if silent else [f"FLAGS ({' '.join(sorted(letter.flags))})"])
    items += [f"MODSEQ ({letter.modseq})"] if condstore else []
    if len(items) > 1:
        session.say(f"{session.told.uids.index(uid) + 1} FETCH ({' '.join(items)})")


def _flags(token: Token) -> frozenset[str]:
    words = token if isinstance(token, list) else [token]
    return frozenset(_SYSTEM.get(atom(word).lower(), atom(word)) for word in words) - {"\\Recent"}


def append(session: Session, arguments: list[Token]) -> str:
    """APPEND, of several messages at once too (RFC 3502)."""
    try:
        box = session.truth.box(folder_name(session, arguments[0]))
    except NoSuchFolder as error:
        raise No("[TRYCREATE] There is no such folder.") from error
    rest, uids = list(arguments[1:]), list[int]()
    while rest:
        flags = _flags(rest.pop(0)) if isinstance(rest[0], list) else frozenset[str]()
        when = _when(raw(rest.pop(0))) if len(rest) > 1 and _DATE.fullmatch(atom(rest[0])) else None
        uids.append(box.append(raw(rest.pop(0)), flags, when or datetime.now().astimezone().replace(microsecond=0)))
    if not uids:
        raise Bad("APPEND of what?")
    if "UIDPLUS" not in session.capabilities():
        return "Appended."
    return f"[APPENDUID {box.uidvalidity} {as_set(uids)}] Appended."


def _when(text: bytes) -> datetime:
    found = _DATE.fullmatch(text.decode("latin-1"))
    assert found is not None
    month = [name.lower() for name in MONTHS].index(found[2].lower()) + 1
    return datetime.strptime(f"{found[3]}-{month:02}-{int(found[1]):02} {found[4]}", "%Y-%m-%d %H:%M:%S %z")


def copy(session: Session, arguments: list[Token]) -> str:
    return _copied(session, arguments, by_uid=False)


def uid_copy(session: Session, arguments: list[Token]) -> str:
    return _copied(session, arguments, by_uid=True)


def _copied(session: Session, arguments: list[Token], *, by_uid: bool) -> str:
    sources, targets, box = _transfer(session, arguments, by_uid=by_uid)
    if "UIDPLUS" not in session.capabilities() or not sources:
        return "Copied."
    return f"[COPYUID {box.uidvalidity} {as_set(sources)} {as_set(targets)}] Copied."


def _transfer(session: Session, arguments: list[Token], *, by_uid: bool) -> tuple[list[int], list[int], Box]:
    """Copies of messages in another folder: their UIDs here and there."""
    try:
        target = session.truth.box(folder_name(session, arguments[1]))
    except NoSuchFolder as error:
        raise No("[TRYCREATE] There is no such folder.") from error
    here = session.box().letters
    sources = [uid for uid in among(session, atom(arguments[0]), by_uid=by_uid) if uid in here]
    letters = [here[uid] for uid in sources]
    return sources, [target.append(letter.raw, letter.flags, letter.when) for letter in letters], target


def move(session: Session, arguments: list[Token]) -> str:
    return _moved(session, arguments, by_uid=False)


def uid_move(session: Session, arguments: list[Token]) -> str:
    return _moved(session, arguments, by_uid=True)


def _moved(session: Session, arguments: list[Token], *, by_uid: bool) -> str:
    """COPYUID comes before the expunges, in an untagged OK (RFC 6851, 4.3)."""
    session.needs("MOVE")
    sources, targets, box = _transfer(session, arguments, by_uid=by_uid)
    if sources:
        if "UIDPLUS" in session.capabilities():
            session.say(f"OK [COPYUID {box.uidvalidity} {as_set(sources)} {as_set(targets)}] Moved.")
        session.box().expunge(sources)
    session.expunge_now = True
    return "Moved."


def expunge(session: Session, arguments: list[Token]) -> str:
    return _expunged(session, None)


def uid_expunge(session: Session, arguments: list[Token]) -> str:
    session.needs("UIDPLUS")
    return _expunged(session, among(session, atom(arguments[0]), by_uid=True))


def _expunged(session: Session, only: list[int] | None) -> str:
    if session.told is None or session.told.read_only:
        raise No("Opened for reading only.")
    box = session.box()
    doomed = [uid for uid, letter in box.letters.items() if "\\Deleted" in letter.flags]
    doomed = [uid for uid in doomed if only is None or uid in only]
    if doomed:
        box.expunge(doomed)
    return "Expunged."


COMMANDS: dict[str, Command] = {
    "STORE": store,
    "UID STORE": uid_store,
    "APPEND": append,
    "COPY": copy,
    "UID COPY": uid_copy,
    "MOVE": move,
    "UID MOVE": uid_move,
    "EXPUNGE": expunge,
    "UID EXPUNGE": uid_expunge,
}
