"""Our own mails, each with what must be read from it."""

import tomllib
from datetime import datetime
from pathlib import Path

import pytest

from rapport.mime.message import Address, Delivery, ParsedMessage, Unreadable
from rapport.mime.parse import parse
from rapport.mime.wire import from_json, to_json

CORPUS = sorted((Path(__file__).parent.parent / "corpus").glob("*.eml"))
PEOPLE = {"from": "from_", "sender": "sender", "reply_to": "reply_to", "to": "to", "cc": "cc", "bcc": "bcc"}


@pytest.mark.parametrize("mail", CORPUS, ids=lambda mail: mail.stem)
def test_a_mail_is_read_as_its_note_says(mail: Path) -> None:
    wanted = tomllib.loads(mail.with_suffix(".toml").read_text(encoding="utf-8"))

    read = parse(mail.read_bytes())

    assert {key: _seen(read, key, wanted[key]) for key in wanted} == wanted


@pytest.mark.parametrize("mail", CORPUS, ids=lambda mail: mail.stem)
def test_what_was_read_survives_the_way_between_processes(mail: Path) -> None:
    read = parse(mail.read_bytes())

    assert from_json(to_json([read, Unreadable("Why."), read]))[::2] == [read, read]


@pytest.mark.parametrize("answer", [b"", b"{}x", b"7", b"[7]", b"[[]]", b"[{}]", b'[{"message_id": ""}]', b"\xff"])
def test_an_answer_that_makes_no_sense_is_refused(answer: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        from_json(answer)


def _seen(read: ParsedMessage, key: str, wanted: object) -> object:
    """What was read, in the words of the note."""
    if isinstance(wanted, dict):
        value = getattr(read, key)
        return {name: _said(getattr(value, name)) for name in wanted}
    if key in PEOPLE:
        return [_person(one) for one in getattr(read, PEOPLE[key])]
    if key == "date":
        return read.date and read.date.isoformat()
    if key == "automatic":
        return sorted(sign.partition(":")[0] for sign in read.automatic)
    if key == "attachments":
        return [
            f"{file.position} {file.name} {file.type} {file.size}{' inline' * file.inline}{' by ' * bool(file.author)}{file.author}"
            for file in read.attachments
        ]
    if key.endswith("_has"):
        return [piece for piece in wanted if piece in getattr(read, key[:-4])] if isinstance(wanted, list) else None
    if key.endswith("_not"):
        return [piece for piece in wanted if piece not in getattr(read, key[:-4])] if isinstance(wanted, list) else None
    return getattr(read, key)


def _said(value: object) -> object:
    """A value within a note's table."""
    match value:
        case Address():
            return _person(value)
        case Delivery():
            return f"{value.address} {value.action} {value.status} {value.reason}"
        case datetime():
            return value.isoformat()
        case tuple():
            return [_said(one) for one in value]
    return value


def _person(one: Address) -> str:
    return f"{one.name} <{one.address}>"
