"""Stories are conversations that run the usual way: asked, quoted, asked back, answered, decided, delivered, paid.

What is particular about a room is written by hand in letters/rooms.txt; courtesies come from letters/phrases.txt and
are dealt like cards, so that none comes twice before all have come once.
"""

import random
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from rapport.demo.cast import Voice, houses, voices
from rapport.demo.script import Line, Thread, blocks, line


class Cards:
    """The courtesies, shuffled, dealt one after the other."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self._stacks: dict[str, list[str]] = {}

    def deal(self, kind: str, first: str = "") -> str:
        """The next phrase of a kind, addressed to somebody."""
        stack = self._stacks.setdefault(kind, [])
        if not stack:
            stack += _phrases()[kind]
            self.rng.shuffle(stack)
        return stack.pop().replace("{first}", first)


@cache
def _phrases() -> dict[str, list[str]]:
    return {kind: [text for text in block if text] for kind, block in blocks("phrases.txt")}


def stories() -> Iterator[Thread]:
    """Every story, and the deliveries and invoices that follow from it."""
    cards = Cards(random.Random("Alder & Finch"))
    for number, (head, block) in enumerate(blocks("rooms.txt")):
        yield from _told(_read(head, block, number), cards)


@dataclass(frozen=True)
class Story:
    """What a story is about: a client, the colleague who answers, and what came of it."""

    key: str
    client: Voice
    desk: str
    start: int
    subject: str
    parts: dict[str, str]
    number: int

    @property
    def outcomes(self) -> list[str]:
        """Won, later or lost; and whether it was delivered and invoiced."""
        return self.parts["then"].split()

    @property
    def colleague(self) -> Voice:
        """Who of us writes."""
        return voices()[self.desk.partition("@")[0]]


def _read(head: str, block: list[str], number: int) -> Story:
    key, client, desk, start, subject = head.split(" | ")
    pairs = (text.partition(": ") for text in block if text)
    parts = {name: value for name, _, value in pairs}
    return Story(key, voices()[client], desk, int(start), subject, parts, number)


def _told(story: Story, cards: Cards) -> Iterator[Thread]:
    said = _texts(story, cards)
    days = _days(story.start, len(said), cards.rng)
    texts = enumerate(zip(days, said, strict=True))
    lines = tuple(_turn(story, turn, f"{day} {_clock(cards.rng)}", text) for turn, (day, text) in texts)
    priced = not story.parts["quote"].endswith("| 0")
    yield Thread(story.key, story.subject, "Quotes" if priced and cards.rng.random() < 0.2 else "", lines)
    yield from _after(story, days[-1], cards)


def _turn(story: Story, turn: int, when: str, text: str) -> Line:
    client, mailbox = story.client.key, story.desk.partition("@")[2]
    if turn % 2 == 0:
        return line(f"{client} > {mailbox}", when, text)
    name = f"Quote_{1100 + story.number}_{_short(story.client)}.pdf {30 + story.number * 37 % 50}k"
    return line(f"{story.desk} > {client}", when, text, {"attach": name} if turn == 1 else {})


def _days(start: int, count: int, rng: random.Random) -> list[int]:
    """The working days of a conversation, which ends before today."""
    days = [start]
    for left in range(count - 1, 0, -1):
        room = (-1 - days[-1]) // left
        days.append(days[-1] + max(1, min(room, rng.choice((1, 1, 2, 3)))))
    return days


def _clock(rng: random.Random) -> str:
    return f"{rng.choice((8, 9, 9, 10, 10, 11, 13, 14, 15, 16)):02}:{rng.randrange(60):02}"


def _texts(story: Story, cards: Cards) -> list[str]:
    parts, client, us = story.parts, story.client, story.colleague
    what, price = parts["quote"].rsplit(" | ", 1)
    cost = cards.deal("quote_free") if price == "0" else f"That comes to **€{price}**. {cards.deal('quote_terms')}"
    offer = f"{cards.deal('quote_open')}\n\n- {what}\n\n{cost} {cards.deal('quote_close')}"
    talk = [
        _from_client(parts["ask"], client, cards, first=True),
        _from_us(offer, client, us, cards),
        _from_client(f"{_thanks(client, cards)}{parts['twist']}", client, cards),
        _from_us(f"{parts['answer']}\n\n{cards.deal('answer_close')}", client, us, cards),
        f"{parts['close']}\n\n{client.name if 'german' in client.habits else client.first_name}",
    ]
    if story.outcomes[0] != "later":  # an open end needs no answer
        talk.append(f"{cards.deal('close_' + story.outcomes[0])}\n\n{us.first_name}")
    return talk


def _thanks(client: Voice, cards: Cards) -> str:
    return "" if "german" in client.habits else cards.deal("twist_open") + " "


def _from_client(text: str, client: Voice, cards: Cards, first: bool = False) -> str:
    if "german" in client.habits:
        return f"Guten Tag,\n\n{text}\n\nMit freundlichen Grüßen\n{client.name}"
    greeting = cards.deal("greet_them") if first else ""
    return f"{greeting}\n\n{text}\n\n{cards.deal('bye')}\n{client.first_name}".strip()


def _from_us(text: str, client: Voice, us: Voice, cards: Cards) -> str:
    formal = "german" in client.habits
    greeting = f"Dear {client.name}," if formal else cards.deal("greet_us", client.first_name)
    return f"{greeting}\n\n{text}\n\n{cards.deal('bye_us')}\n{us.first_name}"


def _short(client: Voice) -> str:
    house = houses()[client.house]
    name = client.name if house.key == "strangers" else house.name
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z]+", "-", plain).strip("-")


def _after(story: Story, day: int, cards: Cards) -> Iterator[Thread]:
    if "delivered" in story.outcomes and day + 9 < 0:
        yield _delivery(story, day + 8, cards.rng)
    if "invoiced" in story.outcomes and day + 13 < 0:
        yield _invoice(story, day + 9, cards)


def _delivery(story: Story, day: int, rng: random.Random) -> Thread:
    client, shipment = story.client, rng.randrange(44_000_000, 44_999_999)
    place = houses()[client.house].city
    text = (
        f"Shipment {shipment} has been delivered.\n\n"
        f"Consignee: {client.name}, {place}\nPackages: {rng.randrange(2, 30)}\n"
        f"Signed by: {client.name.split()[-1].upper()}\n\n"
        f"Track it: https://track.nordfrakt.example/{shipment}\n\nThis is an automatic message. Replies are not read."
    )
    mail = line("nordfrakt > sales", f"{day} {_clock(rng)}", text, {"auto": "auto-generated"})
    return Thread(f"{story.key}-delivery", f"Delivered: shipment {shipment}, {place}", "", (mail,))


def _invoice(story: Story, day: int, cards: Cards) -> Thread:
    client, rng, number = story.client, cards.rng, 301 + story.number * 3
    name = f"INV-{{year}}-{number:04}"
    text = cards.deal("invoice_text").replace("{number}", name)
    reply = cards.deal("invoice_reply")
    lines: list[Line] = [
        line(
            f"elif@sales > {client.key}",
            f"{day} {_clock(rng)}",
            f"{cards.deal('greet_us', client.first_name)}\n\n{text}\n\nBest wishes,\nElif",
            {"attach": f"INV-{number:04}.pdf {40 + number % 17}k"},
        ),
        line(f"{client.key} > sales", f"{day + 2} {_clock(rng)}", f"{reply}\n\n{client.first_name}"),
    ]
    if "?" in reply or rng.random() < 0.2:
        thanks = "Corrected copy attached, thank you for paying attention." if "?" in reply else "Noted, many thanks."
        options = {"attach": f"INV-{number:04}-corrected.pdf 48k"} if "?" in reply else {}
        lines.append(line(f"elif@sales > {client.key}", f"{day + 3} {_clock(rng)}", f"{thanks}\n\nElif", options))
    return Thread(f"{story.key}-invoice", f"Invoice {name}", "", tuple(lines))
