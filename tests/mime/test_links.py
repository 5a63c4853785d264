"""A link that leads elsewhere than it says is marked, and an honest one is not (R18)."""

import pytest

from rapport.mime.html import clean, from_text
from rapport.mime.links import registrable, warning


@pytest.mark.parametrize(
    ("href", "said", "warned"),
    [
        ("https://evil.example/login", "https://bank.test/login", "says bank.test and leads to evil.example"),
        ("https://evil.example", "www.bank.test", "says www.bank.test"),
        ("https://evil.example", "  bank.com/login ", "says bank.com"),
        ("https://bank.com.evil.example", "bank.com", "leads to bank.com.evil.example"),
        ("https://evil.co.uk", "https://shop.co.uk", "leads to evil.co.uk"),
        ("https://one.github.io", "https://two.github.io", "leads to one.github.io"),
        ("mailto:eve@evil.example", "ana@rapport.test", "leads to evil.example"),
        ("https://bank.test@evil.example/", "Sign in", "hides its target behind a name. It leads to evil.example"),
        ("https://bank.test%2f@evil.example/", "Sign in", "leads to evil.example"),
        ("https://xn--pypal-4ve.example/", "Pay", "only look familiar. It leads to xn--pypal-4ve.example"),
        ("https://www.аррӏе.example/", "Buy", "only look familiar"),
        ("https://shop.example", "\u202emoc.knab\u202c.www.bank.com", "hidden signs"),
        ("https://bank.test\u2044evil.example", "https://bank.test", "leads to"),
    ],
)
def test_a_link_that_leads_elsewhere_is_warned_of(href: str, said: str, warned: str) -> None:
    assert warned in warning(href, said)


@pytest.mark.parametrize(
    ("href", "said"),
    [
        ("https://www.shop.example/a?b=1", "shop.example"),
        ("https://login.shop.co.uk", "http://www.shop.co.uk/x"),
        ("https://SHOP.example", "https://shop.EXAMPLE:443/"),
        ("https://click.mailer.example/x", "Read more"),
        ("https://files.example/1", "offer.pdf"),
        ("https://files.example/1", "README.md"),
        ("https://files.example/1", "See 1.2.3"),
        ("mailto:ana@rapport.test?subject=x", "ana@rapport.test"),
        ("mailto:ana@rapport.test", "Write to us"),
        ("tel:+4312345", "www.shop.example"),
        ("https://xn--bcher-kva.example/", "https://bücher.example"),
        ("https://xn--80aafey1amqq.xn--p1ai/", "Привет"),
        ("https://shop.example", "\u200fשלום\u200f"),
        ("https://日本語タグ.example", "x"),
    ],
)
def test_an_honest_link_is_left_alone(href: str, said: str) -> None:
    assert warning(href, said) == ""


def test_the_mark_stands_behind_the_link_and_no_style_of_the_mail_hides_it() -> None:
    mail = '<style>span,[role]{display:none!important}</style><a href="https://evil.example/?a&amp;b" title="x"><b>https://bank</b>.test</a>!'

    html = clean(mail, inline=lambda _: None).html

    assert '<b>https://bank</b>.test</a><span role="note" style="all:initial!important' in html
    assert ">leads to evil.example</span>!" in html
    assert '<a title="This link says bank.test and leads to evil.example."' in html


def test_what_a_mark_says_is_escaped() -> None:
    html = clean(
        """<a href='https://evil.example"><img src=x>'>https://&lt;b&gt;.test</a>""", inline=lambda _: None
    ).html

    assert "<b>" not in html
    assert "<img" not in html


def test_a_name_before_the_host_is_seen_in_plain_text_too() -> None:
    assert 'role="note"' in from_text("Go to https://bank.test@evil.example/ now").html
    assert 'role="note"' not in from_text("Go to https://bank.test/ now, or write to ana@rapport.test").html


def test_a_page_of_links_takes_little_time() -> None:
    mail = '<a href="https://evil.example">https://bank.test</a>' * 5_000 + '<a href="https://x.example">' * 5_000

    assert clean(mail, inline=lambda _: None).html.count('role="note"') == 5_000


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("a.b.shop.example", "shop.example"),
        ("a.shop.com.au", "shop.com.au"),
        ("shop.at", "shop.at"),
        ("10.0.0.1", "10.0.0.1"),
        ("localhost", "localhost"),
        ("a.b.workers.dev", "b.workers.dev"),
    ],
)
def test_the_domain_somebody_registered(host: str, domain: str) -> None:
    assert registrable(host) == domain
