"""Reading old mail again."""

from rapport.blobs import keep
from rapport.crm import verbs
from rapport.mail.models import Attachment, Body, Listing, Message
from rapport.mime.child import Parsers
from rapport.people.models import User
from rapport.sync.reparse import reparse
from tests.world import a_folder, a_letter, an_account, arrives


def test_a_better_parser_repairs_old_mail(ana: User, parsers: Parsers) -> None:
    """Product 9.9: what the old one made of it is replaced; ids, threads and links stay."""
    verbs.add_contact("Inês Carvalho", ["ines@lumen.test"], by=ana)
    account = an_account()
    question, answer = arrives(
        a_folder(account), a_letter(message_id="<q@w.test>"), a_letter(answers="<q@w.test>", text="The answer.")
    )
    Message.objects.filter(pk=answer.pk).update(parser=0, subject="mojibake", snippet="", message_id="")
    Body.objects.filter(message=answer).update(text="mojibake")

    assert reparse(account, parsers) == 1
    assert reparse(account, parsers) == 0

    again = Message.objects.get(pk=answer.pk)
    assert (again.uuid, again.thread_id, again.subject) == (answer.uuid, question.thread_id, "Ceiling baffles")
    assert again.body.text.strip() == "The answer."
    assert again.links.count() == 1
    assert Listing.objects.get().count == 2


def test_what_could_not_be_read_is_tried_again(ana: User, parsers: Parsers) -> None:
    account = an_account()
    (message,) = arrives(a_folder(account), a_letter())
    Message.objects.update(reading=Message.Reading.UNREADABLE, subject="")

    assert reparse(account, parsers) == 1

    assert Message.objects.get().reading == Message.Reading.WHOLE
    assert Message.objects.get().subject == message.subject


def test_files_keep_their_address(ana: User, parsers: Parsers) -> None:
    account = an_account()
    raw = (
        b"""Subject: file\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\n\r\n%PDF"""
    )
    arrives(a_folder(account), raw)
    before = Attachment.objects.get()
    Message.objects.update(parser=0)

    reparse(account, parsers)

    assert Attachment.objects.get().uuid == before.uuid


def test_bytes_that_are_gone_change_nothing(ana: User, parsers: Parsers) -> None:
    account = an_account()
    (message,) = arrives(a_folder(account), a_letter())
    Message.objects.update(parser=0)
    keep.erase([message.sha256])

    assert reparse(account, parsers) == 0

    assert Message.objects.get().subject == "Ceiling baffles"
