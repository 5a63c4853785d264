"""Reading in a browser: the list, the conversation, the keys, and what arrives meanwhile."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import Running


def _open(page: Page, subject: str) -> None:
    page.locator("#rows .subj", has_text=subject).first.click()
    expect(page.locator("#subject")).to_contain_text(subject)


def test_new_mail_appears_by_itself_within_two_seconds(page: Page, running: Running) -> None:
    running.arrives("Just arrived")

    expect(page.locator("#rows [role=row]").first).to_contain_text("Just arrived", timeout=2000)
    expect(page).to_have_title(
        f"({page.locator('[data-unread-total]').get_attribute('data-unread-total')}) sales@ — Inbox · Rapport"
    )


def test_nothing_moves_under_the_pointer(page: Page, running: Running) -> None:
    row = page.locator("#rows [role=row]").nth(1)
    row.hover()
    before = row.bounding_box()

    running.arrives("While I point")

    expect(page.locator("#new-pill")).to_have_text("1 new email", timeout=2000)
    assert row.bounding_box() == before
    page.click("#new-pill")
    expect(page.locator("#rows [role=row]").first).to_contain_text("While I point")


def test_opening_is_one_request_and_back_returns(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    _open(page, "The quote")

    assert [url for url in asked if url == page.url] == [page.url]
    assert not [url for url in asked if url.endswith(("/inbox/", page.url.rpartition("/")[0] + "/"))]
    page.go_back()
    expect(page.locator("#reader h2")).to_have_text("No conversation open")


def test_the_keys_move_open_and_return(page: Page) -> None:
    for key in ("j", "j"):
        page.keyboard.press(key)
    row = page.locator("#rows [role=row]:focus")
    thread = row.get_attribute("data-thread")

    page.keyboard.press("Enter")

    expect(page.locator("#subject")).to_be_focused()
    assert page.locator("#reader").get_attribute("data-thread") == thread
    page.keyboard.press("Escape")
    expect(page.locator(f"#row-{thread}")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#reader h2")).to_have_text("No conversation open")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard shortcuts")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("c")
    page.wait_for_url("**/contacts/")


def test_the_frame_is_as_high_as_its_email_and_runs_nothing(page: Page, running: Running) -> None:
    away: list[str] = []
    page.on("request", lambda request: away.append(request.url) if not request.url.startswith(running.url) else None)
    page.on("dialog", lambda dialog: pytest.fail("A script ran."))

    _open(page, "The quote")
    frame = page.locator("#messages iframe")

    expect(frame).to_have_count(1)
    page.wait_for_function("() => document.querySelector('#messages iframe').offsetHeight > 600")
    assert frame.evaluate("f => f.contentDocument.documentElement.scrollHeight <= f.clientHeight + 1")
    expect(page.locator("#messages .notice")).to_contain_text("Remote images are blocked (1)")
    assert [url for url in away if not url.startswith("data:")] == []


def test_the_open_conversation_grows_and_stays_where_it_is(page: Page, running: Running) -> None:
    _open(page, "The drawing")
    page.locator("#messages a.m-h").first.click()
    expect(page.locator("#messages .msg:not(.shut)")).to_have_count(2)
    page.wait_for_function(
        "() => [...document.querySelectorAll('#messages iframe')].every(f => f.contentDocument?.fonts.size)"
    )
    page.evaluate("document.querySelector('#conv').scrollTop = 60")
    thread = page.locator("#reader").get_attribute("data-thread") or ""
    there = page.locator("#messages .msg").count()

    running.arrives("Re: The drawing", thread=thread)

    expect(page.locator("#messages .msg")).to_have_count(there + 1, timeout=2000)
    expect(page.locator("#messages .msg:not(.shut)")).to_have_count(3)
    assert page.evaluate("document.querySelector('#conv').scrollTop") == 60


def test_older_conversations_come_as_one_scrolls(page: Page) -> None:
    expect(page.locator("#rows [role=row]")).to_have_count(50)

    page.locator("#next-page").scroll_into_view_if_needed()

    expect(page.locator("#next-page")).to_have_count(0)
    assert page.locator("#rows [role=row]").count() > 60
    assert (
        page.evaluate("new Set([...document.querySelectorAll('[id]')].map(e => e.id)).size")
        == page.locator("[id]").count()
    )


def test_on_a_telephone_there_is_one_pane_at_a_time(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    expect(page.locator("#reader")).to_be_hidden()

    _open(page, "The quote")

    expect(page.locator("#rows")).to_be_hidden()
    expect(page.locator(".tabbar")).to_be_hidden()
    page.click("[data-context]")
    expect(page.locator("#context")).to_contain_text("Ines Carvalho")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Escape")
    page.click("[data-back]")
    expect(page.locator("#rows")).to_be_visible()


def test_it_works_without_scripts(browser: Browser, page: Page, running: Running) -> None:
    state = page.context.storage_state()
    with browser.new_context(java_script_enabled=False, storage_state=state, base_url=running.url) as context:
        plain = context.new_page()
        plain.goto(page.url)
        plain.click("#rows .subj >> text=The quote")
        plain.click("#messages a.m-h")

        expect(plain.locator("#messages iframe")).to_have_count(2)


def test_who_signs_out_elsewhere_is_out_here(page: Page, running: Running) -> None:
    running.do("from django.contrib.sessions.models import Session; Session.objects.all().delete()")

    page.wait_for_url("**/sign-in**", timeout=8000)
