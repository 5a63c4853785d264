"""Made-up mail in any amount: conversations, HTML beside text, names in several scripts, about 6 KB each."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

NAMES = (
    "Åsa Öberg",
    "Bob Müller",
    "山田 太郎",
    "Siobhán O'Neil",
    "Iван Петренко",
    "Li Wei",
    "Ana Gómez",
    "Chris Jones",
)
COMMON = (
    "invoice delivery contract meeting renewal quote ticket shipment onboarding refund upgrade security report "
    "schedule price feedback demo integration panel ceiling sample courier drawing floor Tuesday confirm attached "
    "the a of to for with and we you please could before after when board signed window team office thanks"
).split()
STARTS = "b c d f g h l m n p r s t v w br cl dr gr pl st tr".split()
VOWELS = "a e i o u ai ea ou".split()
ENDS = ["", "n", "r", "l", "s", "m", "t", "nd", "ck", "ment", "tion", "ing", "er", "ly"]
RARE = 30_000
"""Words beside the common ones: an index of real mail is mostly words that are seldom used."""
SENDERS = 900
FIRMS = 200


def letters(count: int, to: str = "sales@rapport.test", seed: int = 1) -> Iterator[tuple[bytes, datetime]]:
    """Raw emails with the time they came, oldest first; the same for the same seed.

    The newest sixty begin conversations, so that a first screen of fifty rows is fifty emails.
    """
    chance = random.Random(seed)  # repeatable
    words = _vocabulary()
    newest = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    roots: list[tuple[str, str]] = []
    for number in range(count):
        when = newest - timedelta(minutes=11 * (count - number))
        yield _letter(number, to, when, chance, words, roots if number < count - 60 else []), when


def _vocabulary() -> list[str]:
    """Pronounceable words nobody has heard, the same every time."""
    chance = random.Random(99)  # repeatable
    made = set[str]()
    while len(made) < RARE:
        syllables = chance.choice((1, 2, 2, 3))
        made.add("".join(chance.choice(STARTS) + chance.choice(VOWELS) for _ in range(syllables)) + chance.choice(ENDS))
    return sorted(made)


def _letter(  # noqa: PLR0917  # what a letter is made of
    number: int, to: str, when: datetime, chance: random.Random, words: list[str], roots: list[tuple[str, str]]
) -> bytes:
    who = chance.randrange(SENDERS)
    letter = EmailMessage(policy=SMTP)
    letter["From"] = formataddr((NAMES[who % len(NAMES)], f"person{who}@firm{who % FIRMS}.test"))
    letter["To"] = to
    letter["Date"] = format_datetime(when)
    letter["Message-ID"] = own = f"<{number}.{chance.randrange(10**9)}@firm.test>"
    if roots and chance.random() < 0.45:
        parent, subject = chance.choice(roots[-400:])
        letter["In-Reply-To"] = letter["References"] = parent
        letter["Subject"] = f"Re: {subject}"
    else:
        subject = " ".join([*chance.sample(COMMON, 3), chance.choice(words)]).capitalize()
        letter["Subject"] = subject
        roots.append((own, subject))
    paragraphs = [_paragraph(chance, words) for _ in range(chance.randint(2, 9))]
    letter.set_content("\n\n".join(paragraphs))
    if number % 2:
        letter.add_alternative("".join(f'<p style="color:#333">{one}</p>' for one in paragraphs), subtype="html")
    return letter.as_bytes()


def _paragraph(chance: random.Random, words: list[str]) -> str:
    """Sixty words: half of them common, the others rarer and rarer."""
    rare = (words[int(len(words) * chance.random() ** 3)] for _ in range(30))
    mixed = [*chance.choices(COMMON, k=30), *rare]
    chance.shuffle(mixed)
    return " ".join(mixed)
