"""A mail that is shown runs nothing and asks nobody for anything, by any one of its layers alone (R12, R13, R15).

Without the header the cleaned mail must hold; without cleaning, header and frame must.
"""

from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser

from rapport.mime.html import CSP, SANDBOX, CleanHtml, clean, document
from tests.mime.shown import Seen, opened
from tests.mime.vectors import vectors


@dataclass(frozen=True)
class Layers:
    """What stands between a mail and the reader."""

    cleaned: bool
    policy: str
    sandbox: str


LAYERS = {
    "all": Layers(cleaned=True, policy=CSP, sandbox=SANDBOX),
    "only cleaned": Layers(cleaned=True, policy="", sandbox=""),
    "cleaned and sandboxed, no header": Layers(cleaned=True, policy="", sandbox=SANDBOX),
    "only the header": Layers(cleaned=False, policy=CSP, sandbox=""),
    "header and sandbox, not cleaned": Layers(cleaned=False, policy=CSP, sandbox=SANDBOX),
}


@pytest.mark.parametrize("layers", LAYERS)
def test_hostile_mail_is_inert(layers: str, browser: Browser) -> None:
    seen = show(browser, LAYERS[layers])

    assert seen.asked == []
    assert seen.ran == []


def test_the_vectors_bite_without_any_layer(browser: Browser) -> None:
    """Else the test above would prove nothing."""
    seen = show(browser, Layers(cleaned=False, policy="", sandbox=""))

    assert len(seen.asked) > 10
    assert len(seen.ran) > 5


def show(browser: Browser, layers: Layers) -> Seen:
    """Open every vector in a frame."""
    framed = [document(clean(mail, inline=lambda _: None) if layers.cleaned else CleanHtml(mail)) for mail in vectors()]
    return opened(browser, framed, policy=layers.policy, sandbox=layers.sandbox)
