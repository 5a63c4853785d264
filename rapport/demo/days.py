"""Days count the working days of a firm, so that its mail is written when people are at their desks."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta

MONTHS = (
    "January February March April May June July August September October November December".split()
)  # strftime would speak the language of the machine
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def working_day(start: date, steps: int) -> date:
    """The working day so many steps after (or before) a day, weekends not counted."""
    day, step = start, 1 if steps > 0 else -1
    while steps:
        day += timedelta(days=step)
        steps -= step if day.weekday() < 5 else 0
    return day


def moment(when: str, now: datetime) -> datetime:
    """Read "-25m" (minutes ago) or "-9 15:10" (nine working days ago, at that time)."""
    if when.endswith("m"):
        return now + timedelta(minutes=int(when[:-1]))
    days, clock = when.split()
    day = working_day(now.date(), int(days))
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=now.tzinfo)


def spoken(day: date) -> str:
    """A day as people write it: 9 December."""
    return f"{day.day} {MONTHS[day.month - 1]}"


def week(day: date, ahead: int) -> str:
    """A working week as people write it: 12–16 January."""
    monday = day - timedelta(days=day.weekday()) + timedelta(weeks=ahead)
    friday = monday + timedelta(days=4)
    if monday.month == friday.month:
        return f"{monday.day}–{spoken(friday)}"
    return f"{spoken(monday)} – {spoken(friday)}"


def _weekday(day: date, steps: int) -> str:
    return WEEKDAYS[working_day(day, steps).weekday()]


_SAY: dict[str, Callable[[date, int], str]] = {
    "": lambda day, steps: spoken(working_day(day, steps)),
    "weekday": _weekday,
    "week": week,
    "month": lambda day, steps: MONTHS[(day.month - 1 + steps) % 12],
    "year": lambda day, steps: str(day.year + steps),
    "german": lambda day, steps: working_day(day, steps).strftime("%d.%m.%Y"),
}


def fill(text: str, day: date) -> str:
    """Fill in what depends on the day of writing: {+12}, {weekday +3}, {week +8}, {month -1}, {year}."""

    def say(found: re.Match[str]) -> str:
        return _SAY[found["what"]](day, int(found["steps"] or 0))

    return re.sub(r"\{(?P<what>[a-z]*) ?(?P<steps>[+-]\d+)?\}", say, text)
