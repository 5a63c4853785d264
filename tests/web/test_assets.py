"""The files every page needs: one address each, which changes with them."""

import gzip
import re
from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.utils.timezone import now

from rapport.web import assets
from rapport.web.templatetags import words


def test_a_file_is_kept_for_ever_under_its_digest_and_never_under_another() -> None:
    kept = Client().get(assets.url("rapport.css"))
    stale = Client().get("/assets/0000/rapport.css")

    assert "immutable" in kept.headers["Cache-Control"]
    assert stale.headers["Cache-Control"] == "no-cache"
    assert stale.content == kept.content


def test_what_is_no_file_of_ours_is_not_found() -> None:
    assert Client().get("/assets/0000/settings.py").status_code == 404


def test_files_are_small() -> None:
    def packed(name: str) -> int:
        answer = Client().get(assets.url(name), headers={"Accept-Encoding": "gzip"})
        assert gzip.decompress(answer.content)
        return len(answer.content)

    scripts = sum(packed(name) for name in ("htmx.js", "page.js", "reading.js", "live.js"))
    assert packed("rapport.css") <= 18_000
    assert packed("icons.svg") <= 8_000
    assert scripts <= 30_000


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    sprite = Client().get(assets.url("icons.svg")).content.decode()
    there = set(re.findall(r'id="i-([a-z0-9-]+)"', sprite))
    named = {
        name
        for template in assets.WEB.glob("templates/**/*.html")
        for name in re.findall(r'{% icon "([a-z0-9-]+)"', template.read_text())
    }

    assert named <= there
    assert {"inbox", "send", "folder"} <= there


def test_every_stylesheet_is_joined() -> None:
    assert {path.stem for path in assets.STATIC.glob("css/*.css")} == set(assets.COMPONENTS)


def test_no_script_stands_in_a_page() -> None:
    inline = re.compile(r"<script(?![^>]*\bsrc=)|\son[a-z]+=|javascript:|\|\s*safe\b")
    found = [p.name for p in assets.WEB.glob("templates/**/*.html") if inline.search(p.read_text())]

    assert found == []


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        (1, "1 byte"),
        (512, "512 bytes"),
        (340_000, "340 KB"),
        (2_400_000, "2.4 MB"),
        (18_600_000, "18.6 MB"),
        (999_900, "1.0 MB"),
    ],
)
def test_sizes_read_like_a_person_wrote_them(octets: int, told: str) -> None:
    assert words.filesize(octets) == told


def test_moments_read_like_a_person_wrote_them() -> None:
    today = now().replace(hour=10, minute=42)
    long_ago = datetime(2019, 11, 12, 10, 42, tzinfo=UTC)

    assert words.when(today) == "10:42"
    assert words.when(today - timedelta(days=3)) == (today - timedelta(days=3)).strftime("%a 10:42")
    assert words.when(long_ago) == "12 Nov 2019"
    assert words.day(today) == "Today"
    assert words.day(today - timedelta(days=1)) == "Yesterday"
    assert words.day(long_ago) == "12 November 2019"


def test_names_have_initials_and_addresses_a_colour() -> None:
    assert words.initials("Inês de Carvalho") == "IC"
    assert words.initials("sales@finch.example") == "SA"
    assert words.initials("") == "·"
    assert words.hue("Ana@Finch.example") == words.hue("ana@finch.example")
    assert words.plural(1, "company,companies") == "company"
    assert words.plural(0, "folder") == "folders"
