"""Stories are conversations that run the usual way: asked, quoted, asked back, answered, decided, delivered, paid.

What is particular about a room is written by hand in letters/rooms.txt; courtesies come from letters/phrases.txt and
are dealt like cards, so that none comes twice before all have come once.
"""

import random
import re
from collections.abc import Iterator
from functools import cache

from rapport.demo.cast import Voice, houses, voices
from rapport.demo.script import Line, Thread, blocks, line


class Cards:
    """The courtesies, shuffled, dealt one after the other."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._stacks: dict[str, list[str]] = {}

    def deal(self, kind: str, first: str = "") -> str:
        """The next phrase of a kind, addressed to somebody."""
        stack = self._stacks.setdefault(kind, [])
        if not stack:
            stack += _phrases()[kind]
            self._rng.shuffle(stack)
        return stack.pop().replace("{first}", first)


@cache
def _phrases() -> dict[str, list[str]]:
    return {kind: [text for text in block if text] for kind, block in blocks("phrases.txt")}


def stories() -> Iterator[Thread]:
    """Every story, and the deliveries and invoices that follow from it."""
    rng = random.Random("Alder & Finch")
    cards = Cards(rng)
    for number, (head, block) in enumerate(blocks("rooms.txt")):
        yield from _story(head, _parts(block), rng, cards, number)


def _parts(block: list[str]) -> dict[str, str]:
    pairs = (text.partition(": ") for text in block if text)
    return {name: value for name, _, value in pairs}


def _story(head: str, parts: dict[str, str], rng: random.Random, cards: Cards, number: int) -> Iterator[Thread]:
    key, client_key, desk, start, subject = head.split(" | ")
    client, us, mailbox = voices()[client_key], voices()[desk.split("@")[0]], desk.split("@")[1]
    then = parts["then"].split()
    days = _days(int(start), 6, rng)
    texts = _texts(parts, then[0], client, us, cards)
    lines = tuple(
        line(
            f"{desk} > {client_key}" if turn % 2 else f"{client_key} > {mailbox}",
            f"{day} {_clock(rng)}",
            text,
            _attached(client, number) if turn == 1 else {},
        )
        for turn, (day, text) in enumerate(zip(days, texts, strict=True))
    )
    free = parts["quote"].endswith("| 0")
    yield Thread(key, subject, "Quotes" if not free and rng.random() < 0.2 else "", lines)
    yield from _after(key, client, then, days[-1], rng, cards, number)


def _days(start: int, count: int, rng: random.Random) -> list[int]:
    """The working days of a conversation, which ends before today."""
    days = [start]
    for left in range(count - 1, 0, -1):
        room = (-1 - days[-1]) // left
        days.append(days[-1] + max(1, min(room, rng.choice((1, 1, 2, 3)))))
    return days


def _clock(rng: random.Random) -> str:
    return f"{rng.choice((8, 9, 9, 10, 10, 11, 13, 14, 15, 16)):02}:{rng.randrange(60):02}"


def _texts(parts: dict[str, str], end: str, client: Voice, us: Voice, cards: Cards) -> list[str]:
    what, price = parts["quote"].rsplit(" | ", 1)
    cost = cards.deal("quote_free") if price == "0" else f"That comes to **€{price}**. {cards.deal('quote_terms')}"
    offer = f"{cards.deal('quote_open')}\n\n- {what}\n\n{cost} {cards.deal('quote_close')}"
    return [
        _from_client(parts["ask"], client, cards, first=True),
        _from_us(offer, client, us, cards),
        _from_client(f"{_thanks(client, cards)}{parts['twist']}", client, cards),
        _from_us(f"{parts['answer']}\n\n{cards.deal('answer_close')}", client, us, cards),
        f"{parts['close']}\n\n{client.first_name}",
        f"{cards.deal('close_' + end)}\n\n{us.first_name}",
    ]


def _thanks(client: Voice, cards: Cards) -> str:
    return "" if "german" in client.habits else cards.deal("twist_open") + " "


def _from_client(text: str, client: Voice, cards: Cards, first: bool = False) -> str:
    if "german" in client.habits:
        return f"Guten Tag,\n\n{text}\n\nMit freundlichen Grüßen\n{client.name}"
    greeting = cards.deal("greet_them") if first else ""
    return f"{greeting}\n\n{text}\n\n{cards.deal('bye')}\n{client.first_name}".strip()


def _from_us(text: str, client: Voice, us: Voice, cards: Cards) -> str:
    name = client.name if "german" in client.habits else client.first_name
    return f"{cards.deal('greet_us', name)}\n\n{text}\n\n{cards.deal('bye_us')}\n{us.first_name}"


def _attached(client: Voice, number: int) -> dict[str, str]:
    return {"attach": f"Quote_{1100 + number}_{_short(client)}.pdf {30 + number * 37 % 50}k"}


def _short(client: Voice) -> str:
    house = houses()[client.house]
    name = client.name if house.key == "strangers" else house.name
    return re.sub(r"[^A-Za-z]+", "-", name.encode("ascii", "ignore").decode()).strip("-")


def _after(
    key: str, client: Voice, then: list[str], day: int, rng: random.Random, cards: Cards, number: int
) -> Iterator[Thread]:
    if "delivered" in then and day + 9 < 0:
        yield _delivery(key, client, day + 8, rng)
    if "invoiced" in then and day + 13 < 0:
        yield _invoice(key, client, day + 9, rng, cards, 301 + number * 3)


def _delivery(key: str, client: Voice, day: int, rng: random.Random) -> Thread:
    shipment, place = rng.randrange(44_000_000, 44_999_999), houses()[client.house].city
    text = (
        f"Shipment {shipment} has been delivered.\n\n"
        f"Consignee: {client.name}, {place}\nPackages: {rng.randrange(2, 30)}\n"
        f"Signed by: {client.name.split()[-1].upper()}\n\n"
        f"Track it: https://track.nordfrakt.example/{shipment}\n\nThis is an automatic message. Replies are not read."
    )
    mail = line("nordfrakt > sales", f"{day} {_clock(rng)}", text, {"auto": "auto-generated"})
    return Thread(f"{key}-delivery", f"Delivered: shipment {shipment}, {place}", "", (mail,))


def _invoice(key: str, client: Voice, day: int, rng: random.Random, cards: Cards, number: int) -> Thread:
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
    if "?" in reply or rng.random() < 0.3:
        thanks = "Corrected copy attached, thank you for paying attention." if "?" in reply else "Noted, many thanks."
        options = {"attach": f"INV-{number:04}-corrected.pdf 48k"} if "?" in reply else {}
        lines.append(line(f"elif@sales > {client.key}", f"{day + 3} {_clock(rng)}", f"{thanks}\n\nElif", options))
    return Thread(f"{key}-invoice", f"Invoice {name}", "", tuple(lines))
