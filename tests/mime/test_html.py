"""What is left of a mail's HTML, and how it is framed."""

import pytest

from rapport.mime.html import CleanHtml, clean, document, from_text


def cleaned(html: str) -> CleanHtml:
    return clean(html, inline={"logo@1": "/mail/logo"}.get)


def test_ordinary_mail_keeps_its_looks() -> None:
    html = '<table bgcolor="#eeeeee" width="600"><tbody><tr><td style="color: red; padding: 4px">Hi</td></tr></tbody></table>'

    read = cleaned(html)

    for kept in ('bgcolor="#eeeeee"', 'width="600"', "color: red; padding: 4px", "Hi"):
        assert kept in read.html
    assert read.own_colours


def test_pictures_from_elsewhere_are_counted_and_not_loaded() -> None:
    read = cleaned('<img src="https://shop.example/p.gif" alt="Logo"><img src="cid:logo@1"><img src="cid:none">')

    assert read.blocked_remote == 1
    assert "shop.example" not in read.html
    assert 'alt="Logo"' in read.html
    assert 'src="/mail/logo"' in read.html


def test_pictures_are_loaded_through_us_once_somebody_asks() -> None:
    read = clean("<img src=https://shop.example/p.gif>", inline=lambda _: None, remote=lambda _: "/proxy/1")

    assert 'src="/proxy/1"' in read.html


@pytest.mark.parametrize("address", ["//evil.example/x", "https://evil.example/x", "javascript:x", "/\\evil.example"])
def test_an_address_that_is_not_ours_is_not_used_even_if_we_are_told_to(address: str) -> None:
    assert "src" not in clean("<img src=cid:x>", inline=lambda _: address).html


@pytest.mark.parametrize(
    "css",
    [
        "background:url(https://t.example/1)",
        "background:u\\72l(https://t.example/1)",
        "background:image-set('https://t.example/1' 1x)",
        "background:src('https://t.example/1')",
        "background:var(--x)",
        "--x:url(https://t.example/1)",
        "position:fixed;inset:0",
        "position:sticky",
        "transform:translateY(-50px)",
        "behavior:url(x)",
        "content:'x'",
        "width:expression(alert(1))",
        "height:99999999px",
    ],
)
def test_style_that_loads_or_leaves_its_place_goes(css: str) -> None:
    assert "style" not in cleaned(f'<p style="{css}">x</p>').html
    assert "example" not in cleaned(f"<style>p {{{css}}} @import 'https://t.example';</style>x").css


def test_a_newsletters_style_sheet_stays_without_what_loads() -> None:
    sheet = "@media (max-width: 600px) {.w {width: 100% !important}} p.a {color: #f00} @font-face{src:url(x)}"

    read = cleaned(f"<style>{sheet}</style><p class=a>x</p>")

    assert read.css == "@media (max-width: 600px) {.w {width: 100% !important}}\np.a {color: #f00}"
    assert read.own_colours


@pytest.mark.parametrize(
    "href",
    ["javascript:x", "java\tscript:x", "\x01javascript:x", "data:text/html,x", "file:///etc/x", "//x", "x", "cid:x"],
)
def test_a_link_leads_to_the_web_or_nowhere(href: str) -> None:
    assert "href" not in cleaned(f'<a href="{href}">x</a>').html


def test_a_link_tells_nobody_where_it_was() -> None:
    html = cleaned('<a href="https://shop.example/?a=1&amp;b=2" onclick="x" target="_top">x</a>').html

    for kept in ('href="https://shop.example/?a=1&amp;b=2"', 'target="_blank"', "noopener noreferrer", "no-referrer"):
        assert kept in html
    assert "onclick" not in html


def test_plain_mail_takes_the_colours_of_the_page() -> None:
    read = cleaned('<p style="color:#000000;background:white;margin:0">Hi</p>')

    assert not read.own_colours
    assert read.html == '<p style="margin: 0">Hi</p>'
    assert "color-scheme:dark}" in document(read, dark="dark")
    assert "color-scheme:light}" in document(cleaned("<p bgcolor=red>x"), dark="dark")


def test_plain_mail_lies_on_the_page_and_mail_with_colours_on_a_light_sheet() -> None:
    plain, coloured = document(cleaned("<p>Hi</p>")), document(cleaned("<p bgcolor=red>Hi</p>"))

    assert "html{background:#fff}" not in plain
    assert plain.count("html{background:transparent}") == 1
    assert coloured.rindex("html{background:#fff}") > coloured.rindex("html{background:transparent}")


def test_cleaning_twice_changes_nothing() -> None:
    once = cleaned("<b><p>x</b>y</p><ul><li>a<li>b</ul><table><td>c").html

    assert cleaned(once).html == once


def test_plain_text_is_escaped_and_its_links_are_links() -> None:
    html = from_text("See <b> https://shop.example/(a)?x=1&y=2). Or ana@rapport.test, www.shop.example!").html

    assert "&lt;b&gt;" in html
    assert 'href="https://shop.example/(a)?x=1&amp;y=2"' in html
    assert 'href="mailto:ana@rapport.test"' in html
    assert 'href="http://www.shop.example"' in html


def test_what_plain_text_quotes_is_folded() -> None:
    html = from_text("Yes.\n\nOn Mon, May 6, 2024 at 10:11 Ana <ana@rapport.test> wrote:\n> old").html

    assert html.index("Yes.") < html.index("<details") < html.index("old")
