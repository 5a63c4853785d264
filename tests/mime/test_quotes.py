"""What is new in a mail and what it quotes."""

import os
import time
from pathlib import Path

import pytest
import quotequail

from rapport.mime.html import clean
from rapport.mime.quotes import fold

SHAPES = {
    "gmail": "On Mon, May 6, 2024 at 10:11 AM Ana <ana@rapport.test> wrote:\n\n> old",
    "gmail, folded": "On Mon, May 6, 2024 at 10:11 AM Ana Ortega\n<ana@rapport.test> wrote:\n\n> old",
    "german": "Am 06.05.2024 um 10:11 schrieb Ana Ortega:\n> old",
    "french": "Le lun. 6 mai 2024 à 10:11, Ana <ana@rapport.test> a écrit :\n\n> old",
    "spanish": "El lun, 6 may 2024 a las 10:11, Ana (<ana@rapport.test>) escribió:\n\n> old",
    "italian": "Il giorno lun 6 mag 2024 alle ore 10:11 Ana <ana@rapport.test> ha scritto:\n\n> old",
    "polish": "pon., 6 maj 2024 o 10:11 Ana <ana@rapport.test> napisał(a):\n\n> old",
    "russian": "пн, 6 мая 2024 г. в 10:11, Ana <ana@rapport.test>:\n\n> old",
    "outlook": "From: Ana Ortega\nSent: Monday, May 6, 2024\nTo: Ben\nSubject: RE: Offer\n\nold",
    "outlook, german": "Von: Ana\nGesendet: Montag, 6. Mai 2024\nAn: Ben\nBetreff: AW: Angebot\n\nold",
    "outlook, ruled": "-----Original Message-----\nFrom: Ana\n\nold",
    "bare quote": "> old\n> older",
    "signature": "-- \nBen\nShop",
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_reply_is_told_from_what_it_quotes(shape: str) -> None:
    fresh, quoted = fold("Yes, please.\nBen\n\n" + SHAPES[shape])

    assert fresh == "Yes, please.\nBen"
    assert quoted.strip("\n") == SHAPES[shape]


@pytest.mark.parametrize(
    "text",
    [
        "> first question\n\nfirst answer\n\n> second question\n\nsecond answer",
        "On Monday I wrote:\nplease call me.",
        "---------- Forwarded message ---------\nFrom: Ana\nDate: x\nSubject: y\n\nold",
        "From: the start to the end, all is well.\nReally.",
        "",
    ],
)
def test_what_quotes_nothing_below_stays_whole(text: str) -> None:
    assert fold(text) == (text, "")


@pytest.mark.parametrize(
    "text",
    ["> " * 500_000, "On 2024-01-01 10:00 " * 50_000, "On 2024 a@b\n" * 80_000, "From: a\n" * 120_000, "-" * 10**6],
)
def test_a_megabyte_is_folded_within_a_second(text: str) -> None:
    started = time.process_time()

    fold(text)

    assert time.process_time() - started < 1


def _replies() -> list[Path]:
    corpora = os.environ.get("RAPPORT_CORPORA")
    return sorted(Path(corpora).glob("crisp-email-reply-parser/data/fixtures/*.txt")) if corpora else []


def test_we_fold_at_least_what_quotequail_does() -> None:
    """Our oracle; it splits answers apart from the lines between which they stand, and we do not."""
    apart = []
    for path in _replies():
        text = path.read_text(encoding="utf-8", errors="replace")
        if quotequail.unwrap(text) and not fold(text)[1]:
            apart.append(path.name)

    assert len(apart) <= 4, apart


@pytest.mark.parametrize(
    "quote",
    [
        '<div class="gmail_quote"><div class="gmail_attr">On x wrote:</div><blockquote>old</blockquote></div>',
        '<blockquote type="cite">old</blockquote>',
        '<div class="moz-cite-prefix">On x wrote:</div><blockquote type="cite">old</blockquote>',
        '<hr><div id="divRplyFwdMsg">From: Ana</div><div>old</div>',
        '<div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3pt 0 0 0"><p>From: Ana</p></div></div><p>old</p>',
    ],
)
def test_quoted_html_is_put_away(quote: str) -> None:
    cleaned = clean(f"<div><p>Yes</p>{quote}</div>", inline=lambda _: None).html

    before, _, after = cleaned.partition("<details")
    assert "Yes" in before
    assert "old" not in before
    assert "old" in after
    assert cleaned.count("<details") == cleaned.count("</details>") == 1


def test_a_forward_is_not_put_away() -> None:
    forward = '<p>See below</p><div class="gmail_quote">---------- Forwarded message ---------<br>old</div>'

    assert "<details" not in clean(forward, inline=lambda _: None).html
