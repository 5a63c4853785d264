"""Which records an email is about: the rules by themselves."""

from hypothesis import given
from hypothesis import strategies as st

from rapport.links import rules
from rapport.links.rules import Found, Known, Named


def test_a_contact_is_found_by_address_and_brings_its_company() -> None:
    found = rules.associate([Named("from", "ines@lumen.test")], {"ines@lumen.test": Known(7, 3)}, {}, own=())

    assert found == [
        Found("address", "from", "ines@lumen.test", contact=7),
        Found("contact", "from", "ines@lumen.test", company=3),
    ]


def test_a_company_is_found_by_domain_and_by_the_domain_above() -> None:
    found = rules.associate([Named("to", "desk@mail.lumen.test")], {}, {"lumen.test": 3}, own=())

    assert found == [Found("domain", "to", "mail.lumen.test", company=3)]


def test_the_telling_header_gives_the_reason() -> None:
    people = [Named("cc", "ines@lumen.test"), Named("from", "ines@lumen.test")]

    found = rules.associate(people, {"ines@lumen.test": Known(7, None)}, {}, own=())

    assert [(one.contact, one.role) for one in found] == [(7, "from")]


def test_our_own_addresses_never_associate() -> None:
    """D3: mail among colleagues alone is on no record."""
    people = [Named("from", "ana@rapport.test"), Named("to", "ben@rapport.test")]
    contacts = {"ana@rapport.test": Known(1, 1), "ben@rapport.test": Known(2, 1)}

    found = rules.associate(people, contacts, {"rapport.test": 1}, own={"ana@rapport.test", "ben@rapport.test"})

    assert found == []


def test_the_sender_header_is_no_reason() -> None:
    """A mailing service in Sender says nothing about whom the mail is about (D3)."""
    assert rules.associate([Named("sender", "ines@lumen.test")], {"ines@lumen.test": Known(7, None)}, {}, ()) == []


def test_machines_are_told_from_people() -> None:
    """D5: never info@, sales@, office@."""
    assert all(map(rules.is_machine, ["no-reply@x.test", "NoReply@x.test", "mailer-daemon@x.test", "bounce+7@x.test"]))
    assert not any(map(rules.is_machine, ["info@x.test", "sales@x.test", "office@x.test", "notary@x.test"]))


def test_a_name_is_made_of_an_address() -> None:
    assert rules.name_from("ines.carvalho@lumen.test") == "Ines Carvalho"
    assert rules.name_from("info@lumen.test") == "Info"


@given(st.lists(st.tuples(st.sampled_from([*rules.ORDER, "sender"]), st.sampled_from(["a@x", "b@x", "c@y", ""]))))
def test_each_record_is_found_once(headers: list[tuple[str, str]]) -> None:
    contacts = {"a@x": Known(1, 9), "b@x": Known(2, 9)}

    found = rules.associate([Named(*one) for one in headers], contacts, {"x": 9, "y": 8}, own=())

    keys = [(one.contact, one.company) for one in found]
    assert len(keys) == len(set(keys))
