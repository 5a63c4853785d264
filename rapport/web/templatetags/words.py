"""Dates, numbers and plurals as a person would write them, and the icons."""

from datetime import date, datetime, timedelta
from hashlib import sha256

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timezone import localtime, now

from rapport.web import assets

register = template.Library()

WEEK = timedelta(days=6)
HIDDEN = format_html('aria-hidden="{}"', "true")


@register.filter
def when(moment: datetime | None) -> str:
    """10:42 today, Wed 17:26 within a week, 12 Nov within the year, else 12 Nov 2024."""
    if moment is None:
        return ""
    there, here = localtime(moment), localtime(now())
    if there.date() == here.date():
        return there.strftime("%H:%M")
    if timedelta() < here.date() - there.date() <= WEEK:
        return there.strftime("%a %H:%M")
    return short_date(there.date())


@register.filter
def brief(moment: datetime | None) -> str:
    """As ``when``, with the day alone within a week: for narrow places."""
    if moment is None:
        return ""
    there, here = localtime(moment), localtime(now())
    if timedelta() < here.date() - there.date() <= WEEK:
        return there.strftime("%a")
    return when(moment)


@register.filter
def day(moment: datetime) -> str:
    """Today, Yesterday, Wednesday within a week, else 12 November, with the year if it is another."""
    there, here = localtime(moment).date(), localtime(now()).date()
    if there == here:
        return "Today"
    if there == here - timedelta(days=1):
        return "Yesterday"
    if timedelta() < here - there <= WEEK:
        return there.strftime("%A")
    return date_format(there, "j F" if there.year == here.year else "j F Y")


@register.filter
def full(moment: datetime | None) -> str:
    """Everything about a moment: Wednesday 12 November 2025, 10:42."""
    return date_format(localtime(moment), "l j F Y, H:i") if moment else ""


@register.filter
def short_date(day: date) -> str:
    """12 Nov, or 12 Nov 2024 of another year."""
    return date_format(day, "j b" if day.year == localtime(now()).year else "j b Y").title()


@register.filter
def month(moment: datetime) -> str:
    """Mar 2024."""
    return localtime(moment).strftime("%b %Y")


@register.filter
def filesize(octets: int) -> str:
    """512 bytes, 340 KB, 2.4 MB."""
    if octets < 1000:
        return f"{octets} {plural(octets, 'byte')}"
    size = octets / 1000
    for unit in ("KB", "MB", "GB"):
        if size < 999.5 or unit == "GB":
            break
        size /= 1000
    return f"{size:.1f} {unit}" if size < 100 and unit != "KB" else f"{size:.0f} {unit}"


@register.filter
def count(number: int) -> str:
    """1,200."""
    return f"{number:,}"


@register.filter
def plural(number: int, word: str) -> str:
    """The word alone, as that many of it are called; an irregular one as ``company,companies``."""
    one, _, many = word.partition(",")
    return one if number == 1 else many or f"{one}s"


@register.filter
def soon(moment: datetime) -> str:
    """In a moment, or at 10:42: when something comes by itself."""
    return "in a moment" if moment - now() < timedelta(seconds=90) else f"at {when(moment)}"


@register.filter
def cause(trouble: str) -> str:
    """What is wrong, without the advice after it: the first sentence, and no full stop."""
    return trouble.partition(". ")[0].removesuffix(".")


@register.filter
def initials(name: str) -> str:
    """IC for Inês Carvalho, SA for sales@, a dot for nobody."""
    words = ["".join(c for c in word if c.isalnum()) for word in name.partition("@")[0].split()]
    words = [word for word in words if word]
    if not words:
        return "·"
    letters = words[0][:2] if len(words) == 1 else words[0][0] + words[-1][0]
    return letters.upper()


@register.filter
def hue(address: str) -> int:
    """An angle of the colour circle that always belongs to this address."""
    return sha256(address.lower().encode()).digest()[0] * 360 // 256


@register.simple_tag
def icon(name: str, extra: str = "", label: str = "") -> SafeString:
    """A drawing from the sprite; hidden from readers unless it says something by itself."""
    meaning = format_html('role="img" aria-label="{}"', label) if label else HIDDEN
    sprite = assets.url("icons.svg")
    return format_html('<svg class="i {}" {}><use href="{}#i-{}"/></svg>', extra, meaning, sprite, name)


@register.simple_tag
def asset(name: str) -> str:
    """Where a file of ours is."""
    return assets.url(name)
