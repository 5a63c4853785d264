"""Commands about folders: listing, numbers, opening, making and naming."""

import fnmatch
import re

from tests.servers.model.quirks import Quirk
from tests.servers.model.session import (
    Bad,
    Bye,
    Command,
    No,
    Numbers,
    Session,
    Told,
    as_set,
    atom,
    folder_name,
    raw,
    spelled,
)
from tests.servers.model.truth import Box
from tests.servers.model.wire import Token

FLAGS = "\\Answered \\Flagged \\Deleted \\Seen \\Draft"
PHANTOM = b"Phantom"
CONTAINER = b"Container"
SHARED = b"shared/"
STATUS_ITEMS = {"MESSAGES", "RECENT", "UIDNEXT", "UIDVALIDITY", "UNSEEN", "HIGHESTMODSEQ"}


def namespace(session: Session, arguments: list[Token]) -> str:
    session.needs("NAMESPACE")
    if session.has(Quirk.NAMESPACE_NIL):
        session.say("NAMESPACE NIL NIL NIL")
    elif session.has(Quirk.SHARED_NAMESPACE):
        session.say(b'NAMESPACE (("" "/")) NIL (("%s" "/"))' % SHARED)
    else:
        session.say('NAMESPACE (("" "/")) NIL NIL')
    return "Done."


def list_(session: Session, arguments: list[Token]) -> str:
    """LIST, with LIST-EXTENDED's selection and RETURN options (RFC 5258, 5819, 6154)."""
    if session.has(Quirk.LIST_REFUSED):
        raise No("Listing is out of order.")
    options = _options(session, arguments)
    selection = {atom(word).upper() for word in arguments[0]} if isinstance(arguments[0], list) else set[str]()
    reference, pattern = (arguments[1:] if isinstance(arguments[0], list) else arguments)[:2]
    if session.has(Quirk.LIST_EMPTY):
        return "Listed."
    if not raw(pattern):
        session.say(b'LIST (\\Noselect) %s ""' % _delimiter(session))
        return "Listed."
    wanted = _matching(session, raw(reference) + raw(pattern))
    for name in wanted:
        _list_one(session, name, selection, options)
    for name in wanted:
        if "STATUS" in options and name in session.truth.boxes and not _hidden(session, name):
            _say_status(session, name, options["STATUS"])
    return "Listed."


def _options(session: Session, arguments: list[Token]) -> dict[str, list[str]]:
    """RETURN (… STATUS (…)) as a dictionary."""
    if len(arguments) < 4 or atom(arguments[-2]).upper() != "RETURN" or not isinstance(arguments[-1], list):
        return {}
    session.needs("LIST-EXTENDED")
    found: dict[str, list[str]] = {}
    for word in arguments[-1]:
        if isinstance(word, list):
            found[next(reversed(found))] = [atom(item).upper() for item in word]
        else:
            found[atom(word).upper()] = []
    if "STATUS" in found:
        session.needs("LIST-STATUS")
    return found


def _matching(session: Session, pattern: bytes) -> list[bytes]:
    if session.has(Quirk.LIST_PARTIAL):
        return [b"INBOX"]
    names = sorted({*session.truth.boxes, *_parents(session)})
    names += [PHANTOM] if session.has(Quirk.PHANTOM) else []
    names += [CONTAINER] if session.has(Quirk.NOSELECT) else []
    names += [SHARED + b"Team", SHARED + b"Team/Old"] if session.has(Quirk.SHARED_NAMESPACE) else []
    text = fnmatch.translate(pattern.decode("latin-1").replace("%", "\0").replace("[", "[[]"))
    wanted = re.compile(text.replace("\\\0", "[^/]*").replace("\0", "[^/]*"))
    return [name for name in names if wanted.match(name.decode("latin-1")) or name == pattern]


def _parents(session: Session) -> set[bytes]:
    """Steps of paths that are no folders themselves."""
    delimiter = session.truth.delimiter
    steps = [name.split(delimiter) for name in session.truth.boxes]
    return {delimiter.join(path[:depth]) for path in steps for depth in range(1, len(path))}


def _hidden(session: Session, name: bytes) -> bool:
    return name in (PHANTOM, CONTAINER)


def _list_one(session: Session, name: bytes, selection: set[str], options: dict[str, list[str]]) -> None:
    box = session.truth.boxes.get(name)
    use = box.use if box and "SPECIAL-USE" in session.capabilities() else ""
    if "SPECIAL-USE" in selection and not use:
        return
    below = any(other.startswith(name + session.truth.delimiter) for other in session.truth.boxes)
    attributes = ["\\HasChildren" if below else "\\HasNoChildren", *filter(None, [use])]
    if name == CONTAINER or (below and box is None):
        attributes.append("\\Noselect")
    shown = b"Inbox" if name == b"INBOX" and session.has(Quirk.INBOX_MIXED_CASE) else name
    session.say(b"LIST (%s) %s %s" % (" ".join(attributes).encode(), _delimiter(session), spelled(session, shown)))


def _delimiter(session: Session) -> bytes:
    return b"NIL" if session.has(Quirk.DELIMITER_NIL) else b'"%s"' % session.truth.delimiter


def status(session: Session, arguments: list[Token]) -> str:
    if len(arguments) != 2 or not isinstance(arguments[1], list):
        raise Bad("STATUS wants a folder and a list.")
    _say_status(session, folder_name(session, arguments[0]), [atom(item).upper() for item in arguments[1]])
    return "Counted."


def _say_status(session: Session, name: bytes, items: list[str]) -> None:
    box = session.truth.box(name)
    if not set(items) <= STATUS_ITEMS or ("HIGHESTMODSEQ" in items and not _condstore(session)):
        raise Bad("Unknown STATUS item.")
    if session.has(Quirk.STATUS_WITHOUT_LIST):
        session.say(b"STATUS %s" % spelled(session, name))
        return
    if "HIGHESTMODSEQ" in items:
        session.enabled.add("CONDSTORE")
    numbers = session.server.stale(session, name, _numbers(session, box))
    said = " ".join(f"{item} {numbers[item]}" for item in items if item in numbers)
    session.say(b"STATUS %s (%s)" % (spelled(session, name), said.encode()))


def _numbers(session: Session, box: Box) -> dict[str, int]:
    """What STATUS can tell of a folder now."""
    numbers = {
        "MESSAGES": len(box.letters),
        "RECENT": 0,
        "UIDNEXT": _uidnext(session, box),
        "UIDVALIDITY": _validity(session, box),
        "UNSEEN": sum("\\Seen" not in letter.flags for letter in box.letters.values()),
        "HIGHESTMODSEQ": 0 if session.has(Quirk.MODSEQ_ZERO) or session.has(Quirk.NOMODSEQ) else box.modseq,
    }
    if session.has(Quirk.VALIDITY_BEHIND_STATUS):
        numbers["UIDVALIDITY"] -= 1
    missing = {Quirk.UIDNEXT_MISSING: "UIDNEXT", Quirk.VALIDITY_MISSING: "UIDVALIDITY"}
    return {
        item: number for item, number in numbers.items() if item not in {missing.get(q) for q in session.server.quirks}
    }


def _condstore(session: Session) -> bool:
    return "CONDSTORE" in session.capabilities()


def _validity(session: Session, box: Box) -> int:
    if session.has(Quirk.VALIDITY_ZERO):
        return 0
    return box.uidvalidity + (1000 + session.number if session.has(Quirk.VALIDITY_EACH_CONNECTION) else 0)


def _uidnext(session: Session, box: Box) -> int:
    return max(1, box.uidnext - 3) if session.has(Quirk.UIDNEXT_LOW) else box.uidnext


def select(session: Session, arguments: list[Token]) -> str:
    return _open(session, arguments, read_only=False)


def examine(session: Session, arguments: list[Token]) -> str:
    return _open(session, arguments, read_only=True)


def _open(session: Session, arguments: list[Token], *, read_only: bool) -> str:
    name = folder_name(session, arguments[0])
    parameters = _parameters(session, arguments[1:])
    if session.has(Quirk.BYE_TOKEN) and session.server.count("SELECT", session.number) > 1:
        raise Bye("Session invalidated - AccessTokenExpired")
    if session.told:
        session.told = None
        session.say("OK [CLOSED] The folder before is closed.")
    if name in (PHANTOM, CONTAINER):
        raise No("[NONEXISTENT] It cannot be opened.")
    box = session.truth.box(name)
    uids = sorted(box.letters)
    _say_numbers(session, box, uids)
    if "QRESYNC" in parameters:
        _resynchronise(session, box, parameters["QRESYNC"])
    modseqs = {uid: letter.modseq for uid, letter in box.letters.items()}
    session.told = Told(b"INBOX" if name.upper() == b"INBOX" else name, box, uids, modseqs, read_only)
    return f"[READ-{'ONLY' if read_only else 'WRITE'}] Opened."


def _parameters(session: Session, rest: list[Token]) -> dict[str, list[Token]]:
    """(CONDSTORE) or (QRESYNC (validity modseq uids …)), RFC 7162 3.1.8 and 3.2.5."""
    words = rest[0] if rest and isinstance(rest[0], list) else []
    found: dict[str, list[Token]] = {}
    for word in words:
        if isinstance(word, list):
            found[next(reversed(found))] = word
        else:
            session.needs(atom(word).upper())
            found[atom(word).upper()] = []
    if "QRESYNC" in found and "QRESYNC" not in session.enabled:
        raise Bad("Enable QRESYNC first.")
    if found:
        session.enabled.add("CONDSTORE")
    return found


def _say_numbers(session: Session, box: Box, uids: list[int]) -> None:
    keywords = sorted({flag for letter in box.letters.values() for flag in letter.flags if flag[:1] != "\\"})
    session.say(f"FLAGS ({' '.join([*FLAGS.split(), *keywords])})")
    session.say(f"OK [PERMANENTFLAGS ({FLAGS} \\*)] Flags.")
    session.say(f"{len(uids)} EXISTS")
    session.say("0 RECENT")
    if not session.has(Quirk.VALIDITY_MISSING):
        session.say(f"OK [UIDVALIDITY {_validity(session, box)}] Valid.")
    if not session.has(Quirk.UIDNEXT_MISSING):
        session.say(f"OK [UIDNEXT {_uidnext(session, box)}] Next.")
    if not _condstore(session):
        return
    if session.has(Quirk.NOMODSEQ):
        session.say("OK [NOMODSEQ] None.")
    else:
        session.say(f"OK [HIGHESTMODSEQ {_highest(session, box)}] Highest.")


def _highest(session: Session, box: Box) -> int:
    if session.has(Quirk.MODSEQ_ZERO):
        return 0
    if session.has(Quirk.MODSEQ_REGRESSES):
        return max(1, 100_000 - session.server.count("SELECT"))
    if session.has(Quirk.ENABLED_SILENT):
        return 7
    return box.modseq


def _resynchronise(session: Session, box: Box, told: list[Token]) -> None:
    """What changed since a client was here last: VANISHED (EARLIER) and FETCH (RFC 7162, 3.2.5)."""
    validity, modseq = int(atom(told[0])), int(atom(told[1]))
    if validity != _validity(session, box):
        return
    known = Numbers(atom(told[2]), box.uidnext) if len(told) > 2 else None
    vanished(session, box, modseq, known)
    for sequence, uid in enumerate(sorted(box.letters), 1):
        letter = box.letters[uid]
        if letter.modseq > modseq and (known is None or uid in known):
            flags = " ".join(sorted(letter.flags))
            session.say(f"{sequence} FETCH (UID {uid} FLAGS ({flags}) MODSEQ ({letter.modseq}))")


def vanished(session: Session, box: Box, modseq: int, among: Numbers | None) -> None:
    """VANISHED (EARLIER), where something did."""
    uids = [uid for uid, at in box.gone.items() if at > modseq]
    if session.has(Quirk.HISTORY_LOST):
        uids = [uid for uid in range(1, box.uidnext) if uid not in box.letters]
    if session.has(Quirk.VANISHED_OMITS_HIGHEST):
        uids = [uid for uid in uids if uid < max(box.letters, default=0)]
    if among is not None:
        uids = [uid for uid in uids if uid in among]
    if session.has(Quirk.VANISHED_MALFORMED):
        session.say("VANISHED (EARLIER)")
    elif uids:
        session.say(f"VANISHED (EARLIER) {as_set(uids)}")


def close(session: Session, arguments: list[Token]) -> str:
    r"""CLOSE: what is \Deleted goes without a word."""
    if session.told and not session.told.read_only:
        box = session.box()
        doomed = [uid for uid, letter in box.letters.items() if "\\Deleted" in letter.flags]
        if doomed:
            box.expunge(doomed)
    session.told = None
    return "Closed."


def unselect(session: Session, arguments: list[Token]) -> str:
    session.needs("UNSELECT")
    session.told = None
    return "Left."


def create(session: Session, arguments: list[Token]) -> str:
    name = folder_name(session, arguments[0])
    if name.upper() == b"INBOX" or name in session.truth.boxes:
        raise No("[ALREADYEXISTS] It is there.")
    session.truth.create(name.removesuffix(session.truth.delimiter))
    return "Made."


def delete(session: Session, arguments: list[Token]) -> str:
    name = folder_name(session, arguments[0])
    if name.upper() == b"INBOX":
        raise No("[CANNOT] Not the inbox.")
    session.truth.delete(name)
    return "Deleted."


def rename(session: Session, arguments: list[Token]) -> str:
    old, new = folder_name(session, arguments[0]), folder_name(session, arguments[1])
    if new in session.truth.boxes:
        raise No("[ALREADYEXISTS] It is there.")
    session.truth.rename(old, new)
    return "Renamed."


def subscribe(session: Session, arguments: list[Token]) -> str:
    return "As you like."


COMMANDS: dict[str, Command] = {
    "NAMESPACE": namespace,
    "LIST": list_,
    "STATUS": status,
    "SELECT": select,
    "EXAMINE": examine,
    "CLOSE": close,
    "UNSELECT": unselect,
    "CREATE": create,
    "DELETE": delete,
    "RENAME": rename,
    "SUBSCRIBE": subscribe,
    "UNSUBSCRIBE": subscribe,
}
