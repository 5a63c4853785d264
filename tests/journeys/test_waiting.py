"""Waiting and failing in a browser: what stands there meanwhile, what is said, and the way on."""

import re

from playwright.sync_api import Page, Route, expect

from tests.journeys.conftest import Running

CLICK = "document.querySelector('#rows .subj').click()"
"""Opens without pointing first: nothing was looked at ahead."""
THREAD = "**/inbox/*-*/*-*"


def held(page: Page) -> list[Route]:
    """Requests for conversations wait here until the test lets them go."""
    waiting: list[Route] = []
    page.route(THREAD, lambda route: waiting.append(route))  # noqa: PLW0108  # Playwright asks a function its arguments
    return waiting


def test_a_slow_answer_takes_the_shape_of_what_comes(page: Page) -> None:
    waiting = held(page)
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") + 1_000)
    shape = page.locator("#reader .shape")

    page.evaluate(CLICK)
    page.clock.run_for(390)
    expect(shape).to_have_count(0)
    page.clock.run_for(20)
    expect(shape).to_be_visible()
    expect(page.locator("#context .shape")).to_be_visible()

    with page.expect_response(THREAD):
        waiting[0].continue_()
    page.clock.run_for(250)
    expect(shape).to_be_visible()
    page.clock.run_for(400)
    expect(page.locator("#subject")).to_be_visible()
    expect(shape).to_have_count(0)
    expect(page.locator("#context")).to_contain_text("@")


def test_after_eight_seconds_it_says_what_is_slow(page: Page) -> None:
    waiting = held(page)
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") + 1_000)

    page.evaluate(CLICK)
    page.clock.run_for(8_100)

    slow = page.locator("#reader .slow")
    expect(slow).to_contain_text("The conversation is taking long.")
    page.unroute(THREAD)
    # While the clock stands, a real click waits for ever.
    slow.get_by_role("button", name="Retry").evaluate("button => button.click()")
    page.clock.run_for(500)
    expect(page.locator("#subject")).to_be_visible()
    assert len(waiting) == 1


def test_on_a_telephone_the_shape_comes_instead_of_the_list_and_goes_with_a_failure(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    waiting = held(page)

    page.evaluate(CLICK)
    expect(page.locator("#reader .shape")).to_be_visible()
    expect(page.locator("#rows")).to_be_hidden()

    waiting[0].abort()
    expect(page.locator("#rows")).to_be_visible()
    expect(page.locator(".toast")).to_contain_text("Rapport did not answer")


def test_what_was_not_reached_stays_said_until_it_works(page: Page) -> None:
    page.route(THREAD, lambda route: route.abort())
    page.evaluate(CLICK)
    toast = page.get_by_role("alert")
    expect(toast).to_contain_text("Rapport did not answer")
    expect(page.locator("#rows [role=row]").first).to_be_visible()

    page.unroute(THREAD)
    toast.get_by_role("button", name="Retry").click()

    expect(page.locator("#subject")).to_be_visible()
    expect(page.locator(".toast")).to_have_count(0)


def test_what_broke_names_its_number(page: Page) -> None:
    page.route(THREAD, lambda route: route.fulfill(status=500, body="<p><code style='x'>ab12-cd34</code></p>"))

    page.evaluate(CLICK)

    expect(page.get_by_role("alert")).to_contain_text("Something broke on our side")
    expect(page.get_by_role("alert")).to_contain_text("ab12-cd34")
    page.get_by_role("button", name="Dismiss").click()
    expect(page.locator(".toast")).to_have_count(0)


def test_being_offline_is_said_as_long_as_it_lasts(page: Page) -> None:
    page.context.set_offline(offline=True)
    expect(page.locator(".toast")).to_contain_text("You are offline")

    page.context.set_offline(offline=False)

    expect(page.locator(".toast")).to_have_count(0)


def test_pointing_asks_ahead_and_opening_asks_no_more(page: Page) -> None:
    row = page.locator("#rows [role=row]").nth(2)
    thread = row.get_attribute("data-thread") or "?"
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_response(THREAD) as answer:
        row.hover()
    answer.value.finished()
    page.evaluate("() => new Promise(requestAnimationFrame)")

    row.locator(".subj").click()
    expect(page.locator("#reader")).to_have_attribute("data-thread", thread)

    assert len([url for url in asked if url.endswith(thread)]) == 1
    assert page.url.endswith(thread)
    expect(page).to_have_title(re.compile(re.escape(f"{page.locator('#subject').inner_text()} · Rapport")))
    page.go_back()
    expect(page.locator("#reader h2")).to_have_text("No conversation open")


def test_pointing_in_passing_asks_nothing(page: Page) -> None:
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now()") + 1_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    page.locator("#rows [role=row]").nth(1).hover()
    page.clock.run_for(50)
    page.mouse.move(1000, 5)
    page.clock.run_for(500)

    assert asked == []


def test_another_list_takes_its_shape_until_it_is_here(page: Page) -> None:
    page.evaluate("addEventListener('click', (event) => event.preventDefault())")

    page.locator("#side").get_by_role("link", name="Sent").click()

    expect(page.locator(".shape.list h1")).to_have_text("Sent")


def test_progress_is_announced_by_quarters(page: Page, running: Running) -> None:
    running.do(
        "a = account('new@finch.example', state='new')\na.folders.filter(role='inbox').update(window=100, left=90)\n"
    )
    page.reload()
    said = page.locator("#live")

    for left, words in ((72, "Syncing new@: 25 %"), (60, ""), (49, "Syncing new@: 50 %")):
        page.evaluate("document.querySelector('#live').textContent = ''")
        running.do(
            f"f = Folder.objects.get(account__address='new@finch.example', role='inbox')\n"
            f"f.left = {left}; f.save()\n"
            "Event.objects.create(kind='account', account=f.account_id, about=f.account_id)"
        )
        expect(page.get_by_role("progressbar")).to_have_attribute("aria-valuenow", str(100 - left))
        expect(said).to_have_text(words)
    running.do("Account.objects.get(address='new@finch.example').delete()")
