"""The made-up firm's mail reads like mail: it parses, hangs together, and comes from the past."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_bytes, policy
from email.message import EmailMessage
from itertools import islice

import pytest

from rapport.demo import firm
from rapport.demo.days import fill, moment, week, working_day
from rapport.demo.papers import paper

NOW = datetime(2025, 11, 20, 11, 7, tzinfo=timezone(timedelta(hours=1)))
Read = list[tuple[firm.Letter, EmailMessage]]


@pytest.fixture(scope="module")
def read() -> Read:
    """Every letter, with what the standard library makes of it."""
    return [(letter, _parse(letter.raw)) for letter in firm.letters(NOW)]


def _parse(raw: bytes) -> EmailMessage:
    return message_from_bytes(raw, policy=policy.default)


def _parts(read: Read) -> Iterator[EmailMessage]:
    return (part for _, mail in read for part in mail.walk())


def _text(mail: EmailMessage) -> str:
    body = mail.get_body(("plain",))
    return body.get_content() if body else ""


def test_there_are_a_few_hundred_letters_in_every_folder(read: Read) -> None:
    folders = Counter((letter.mailbox, letter.folder) for letter, _ in read)

    assert 350 <= len(read) <= 550
    assert {mailbox for mailbox, _ in folders} == set(firm.MAILBOXES)
    assert {folder for _, folder in folders} == set(firm.FOLDERS)
    assert folders[firm.SALES, "Sent"] > 100
    assert sum(letter.folder == "Drafts" for letter, _ in read) == 2
    assert sum(len(letter.raw) for letter, _ in read) < 25_000_000


def test_every_letter_parses_without_a_defect(read: Read) -> None:
    for part in _parts(read):
        assert part.defects == []
        assert all(not header.defects for header in part.values())
        assert part.is_multipart() or part.get_content() is not None


def test_no_letter_comes_from_the_future_and_the_newest_are_of_today(read: Read) -> None:
    dates = [letter.internal_date for letter, _ in read]

    assert max(dates) <= NOW
    assert NOW - max(dates) < timedelta(hours=1)
    assert timedelta(days=150) < NOW - min(dates) < timedelta(days=200)
    assert dates == sorted(dates)


@pytest.mark.parametrize("hour", [0, 6, 23])
def test_no_letter_comes_from_the_future_at_any_time_of_day(hour: int) -> None:
    now = NOW.replace(hour=hour, minute=1)

    assert all(letter.internal_date <= now for letter in firm.letters(now))


def test_a_letters_date_is_the_date_in_its_header(read: Read) -> None:
    for letter, mail in read:
        assert mail["Date"].datetime == letter.internal_date.replace(microsecond=0)


def test_the_same_day_gives_the_same_letters() -> None:
    first, second = (hashlib.sha256(b"".join(letter.raw for letter in firm.letters(NOW))) for _ in range(2))

    assert first.digest() == second.digest()


def test_a_message_id_belongs_to_one_mail(read: Read) -> None:
    mails = {(mail["Message-ID"], letter.raw) for letter, mail in read if mail["Message-ID"]}

    assert len({message_id for message_id, _ in mails}) == len(mails)
    assert sum(mail["Message-ID"] is None for _, mail in read) == 1


def test_an_answer_points_to_a_letter_that_was_there_before(read: Read) -> None:
    dates = {mail["Message-ID"]: letter.internal_date for letter, mail in read}
    answers = [(letter, mail) for letter, mail in read if mail["In-Reply-To"]]

    for letter, mail in answers:
        assert dates[mail["In-Reply-To"]] < letter.internal_date
        assert mail["References"].split()[-1] == mail["In-Reply-To"]
    assert len(answers) > 250


def test_threads_are_short_and_long(read: Read) -> None:
    depths = {len((mail["References"] or "").split()) + 1 for _, mail in read}

    assert min(depths) == 1
    assert max(depths) == 12


def test_what_was_answered_is_flagged_so(read: Read) -> None:
    answers = {(letter.mailbox, mail["In-Reply-To"]) for letter, mail in read if letter.folder == "Sent"}

    for letter, mail in read:
        if letter.folder == "INBOX":
            assert ("\\Answered" in letter.flags) == (
                (letter.mailbox, mail["Message-ID"]) in answers - {(letter.mailbox, None)}
            )


def test_most_mail_is_read_and_the_unread_is_new(read: Read) -> None:
    unread = [letter for letter, _ in read if "\\Seen" not in letter.flags]

    assert 20 <= len(unread) <= 30
    assert all(NOW - letter.internal_date < timedelta(days=40) for letter in unread)
    assert sum("\\Flagged" in letter.flags for letter, _ in read) >= 2


def test_the_conversation_of_the_picture_is_there_word_for_word(read: Read) -> None:
    mail = next(mail for letter, mail in read if "board signed off this morning" in _text(mail))

    assert mail["Subject"] == "Re: Lisbon HQ ceiling baffles — revised quote (v3) and fire-rating certificate"
    assert "Can you hold the 12–16 January delivery window?" in _text(mail)
    assert [part.get_filename() for part in mail.iter_attachments()] == [
        "Lumen-F3_reflected-ceiling_rev-D.pdf",
        "EN13501-1_certificate_panel.pdf",
        "Site-photos-floor-3.zip",
    ]


def test_people_write_in_the_charsets_of_their_countries(read: Read) -> None:
    charsets = {part.get_content_charset() for part in _parts(read) if part.get_content_maintype() == "text"}
    encodings = {part["Content-Transfer-Encoding"] for part in _parts(read) if not part.is_multipart()}

    assert charsets >= {"iso-8859-1", "windows-1252", "iso-2022-jp", "koi8-u", "gb18030", "utf-8", "us-ascii"}
    assert encodings >= {"7bit", "8bit", "quoted-printable", "base64"}
    assert any(part.get_param("format") == "flowed" for part in _parts(read))


def test_nothing_is_lost_in_those_charsets(read: Read) -> None:
    texts = [_text(mail) for _, mail in read]

    assert any("田辺 ゆき" in text for text in texts)
    assert any("Олександр Гриценко" in text for text in texts)
    assert any("颜色和上次一样" in text for text in texts)
    assert any("einschließlich" in text for text in texts)
    assert not any("�" in text or re.search(r"[?]\d", text) for text in texts)


def test_machines_write_too(read: Read) -> None:
    kinds = {part.get_content_type() for part in _parts(read)}

    assert kinds >= {"text/calendar", "message/delivery-status", "application/pdf", "image/png", "application/zip"}
    assert len({mail["From"] for _, mail in read if mail["List-Unsubscribe"]}) == 4
    assert any(mail["Auto-Submitted"] == "auto-replied" for _, mail in read)
    assert any(mail["Reply-To"] and mail["Reply-To"] != mail["From"] for _, mail in read)


def test_every_address_is_made_up(read: Read) -> None:
    for letter, _ in read:
        domains = re.findall(rb"[\w.+-]@([\w-]+(?:\.[\w-]+)+)", letter.raw.partition(b"\r\n\r\n")[0])

        assert all(domain.endswith(b".example") for domain in domains)


def test_no_sentence_of_an_answer_is_worn_out(read: Read) -> None:
    """A courtesy may come back; a reader who skims should not notice."""
    openings = Counter(
        line
        for mail in {mail["Message-ID"]: mail for _, mail in read}.values()
        for line in _text(mail).partition("\n-- ")[0].partition(" wrote:")[0].splitlines()
        if len(line) > 60
    )

    assert openings.most_common(1)[0][1] <= 12


def test_the_records_are_a_few_dozen_and_know_their_companies() -> None:
    companies, contacts = firm.records()
    names = {company.name for company in companies}

    assert 25 <= len(companies) <= 40
    assert 35 <= len(contacts) <= 50
    assert {contact.company for contact in contacts} <= names
    assert len({address for contact in contacts for address in contact.addresses}) == sum(
        len(contact.addresses) for contact in contacts
    )


def test_some_who_write_are_strangers(read: Read) -> None:
    known = {address for contact in firm.records()[1] for address in contact.addresses}
    senders = {mail["From"].addresses[0].addr_spec for _, mail in read}

    assert "tanabe@hokuto.example" in senders - known


def test_mara_is_the_administrator() -> None:
    assert [person.name for person in firm.people() if person.admin] == ["Mara Lindqvist"]
    assert len(firm.people()) == 5


def test_new_mail_never_ends_and_never_repeats_an_id() -> None:
    arriving = list(islice(firm.newcomers(NOW), 40))
    mails = [_parse(letter.raw) for letter in arriving]

    assert len({mail["Message-ID"] for mail in mails}) == 40
    assert [letter.internal_date for letter in arriving] == sorted(letter.internal_date for letter in arriving)
    assert {(letter.folder, letter.flags) for letter in arriving} == {("INBOX", ())}


def test_new_mail_answers_what_is_there(read: Read) -> None:
    there = {mail["Message-ID"] for _, mail in read}
    answers = [_parse(letter.raw)["In-Reply-To"] for letter in islice(firm.newcomers(NOW), 16)]

    assert len([message_id for message_id in answers if message_id in there]) >= 8


def test_new_mail_is_dated_by_the_clock_it_is_given() -> None:
    later = datetime(2025, 12, 1, 9, tzinfo=UTC)

    letter = next(firm.newcomers(NOW, lambda: later))

    assert letter.internal_date == later


def test_days_are_working_days() -> None:
    friday = datetime(2025, 11, 21, tzinfo=UTC).date()

    assert working_day(friday, 1).isoformat() == "2025-11-24"
    assert working_day(friday, -5).isoformat() == "2025-11-14"
    assert week(friday, 8) == "12–16 January"
    assert fill("{+1}, {weekday +2}, {week +8}, {year}", friday) == "24 November, Tuesday, 12–16 January, 2025"
    assert moment("-25m", NOW) == NOW - timedelta(minutes=25)


@pytest.mark.parametrize(
    ("name", "start"),
    [("a.pdf", b"%PDF-1.4"), ("a.png", b"\x89PNG"), ("a.xlsx", b"PK"), ("a.zip", b"PK"), ("a.dwg", b"AC1032")],
)
def test_a_paper_is_what_its_name_says(name: str, start: bytes) -> None:
    assert paper(name, 20_000).startswith(start)
    assert paper(name, 20_000) == paper(name, 20_000)
