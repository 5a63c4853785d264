"""Calendar entries that come with mail: what, when, where, and who asks (RFC 5545, RFC 5546).

Read, shown, and nothing more: no link in them is followed, no alarm is set, nothing recurs.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone

from rapport.mime import limits
from rapport.mime.addresses import canonical
from rapport.mime.charsets import decode_lines
from rapport.mime.message import Address, Invitation
from rapport.mime.words import one_line

_MOST_LINES = 10_000
_NAME = re.compile(r"([A-Za-z0-9-]{1,60})")
# Linear: each value ends at its own sign.
_PARAMETER = re.compile(r';([A-Za-z0-9-]{1,60})=("[^"]*"|[^;:"]*)')
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)(?:\d\d)?", re.ASCII)
_DURATION = re.compile(
    r"\+?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?", re.ASCII
)
_DAY = re.compile(r"([+-]?\d)(SU|MO|TU|WE|TH|FR|SA)", re.ASCII)
_WEEK = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class _Line:
    """A content line: ``DTSTART;TZID=Europe/Vienna:20240506T100000``."""

    name: str
    parameters: dict[str, str]
    value: str


@dataclass
class _Component:
    """What stands between BEGIN and END, without what is nested in it."""

    name: str
    lines: dict[str, list[_Line]] = field(default_factory=dict)
    inside: list["_Component"] = field(default_factory=list)

    def line(self, name: str) -> _Line | None:
        return self.lines[name][0] if name in self.lines else None

    def text(self, name: str, limit: int) -> str:
        line = self.line(name)
        return one_line(_unescaped(line.value), limit) if line else ""


def read_invitation(content: bytes, charset: str, method: str = "") -> Invitation | None:
    """The first entry of a calendar; ``method`` is what the part's Content-Type says. ``None`` if it holds none."""
    calendar = _components(decode_lines(content[: limits.CALENDAR], charset or "utf-8"))
    event = next((one for one in calendar.inside if one.name in ("VEVENT", "VTODO")), None)
    if event is None:
        return None
    said = (calendar.text("METHOD", 30) or method or "PUBLISH").upper()
    zones = {one.text("TZID", 200): one for one in calendar.inside if one.name == "VTIMEZONE"}
    start, all_day, floating = _time(event.line("DTSTART"), zones)
    end, _, _ = _time(event.line("DTEND") or event.line("DUE"), zones)
    people = event.lines.get("ATTENDEE", [])
    organiser = event.line("ORGANIZER")
    return Invitation(
        method=one_line(said, 30),
        summary=event.text("SUMMARY", limits.SUBJECT),
        start=start,
        end=end or _after(start, event.text("DURATION", 100), all_day=all_day),
        all_day=all_day,
        floating=floating,
        location=event.text("LOCATION", limits.SUBJECT),
        organiser=_person(organiser) if organiser else None,
        attendees=tuple(_person(line) for line in people[: limits.PEOPLE_OF_A_REPORT]),
        answer=one_line(people[0].parameters.get("PARTSTAT", ""), 30).upper() if said == "REPLY" and people else "",
        recurring="RRULE" in event.lines or "RDATE" in event.lines,
        uid=event.text("UID", limits.MESSAGE_ID),
    )


def _components(text: str) -> _Component:
    """The calendar, whatever surrounds it. Deeper than a zone's rules nothing is of interest."""
    root = _Component("")
    stack = [root]
    for line in _lines(text):
        if line.name == "BEGIN":
            component = _Component(line.value.strip().upper())
            if len(stack) < 4:
                stack[-1].inside.append(component)
            if len(stack) < 50:
                stack.append(component)
        elif line.name == "END":
            if len(stack) > 1:
                stack.pop()
        else:
            stack[-1].lines.setdefault(line.name, []).append(line)
    return next((one for one in root.inside if one.name == "VCALENDAR"), root)


def _lines(text: str) -> Iterable[_Line]:
    """Content lines, unfolded (RFC 5545, 3.1)."""
    for whole in text.replace("\n ", "").replace("\n\t", "").split("\n")[:_MOST_LINES]:
        name = _NAME.match(whole)
        if not name:
            continue
        at = name.end()
        parameters: dict[str, str] = {}
        while (found := _PARAMETER.match(whole, at)) and len(parameters) < 50:
            parameters[found[1].upper()] = found[2].strip('"')
            at = found.end()
        if whole[at : at + 1] == ":":
            yield _Line(name[1].upper(), parameters, whole[at + 1 :])


def _unescaped(value: str) -> str:
    return _ESCAPED.sub(lambda sign: "\n" if sign[1] in "nN" else sign[1], value)


def _person(line: _Line) -> Address:
    scheme, _, address = line.value.strip().rpartition(":")
    name = one_line(line.parameters.get("CN", ""), limits.NAME)
    return Address(name, canonical(address) if scheme.lower() in ("", "mailto") else "")


def _time(line: _Line | None, zones: dict[str, _Component]) -> tuple[datetime | None, bool, bool]:
    """A date or a time; whether it is a whole day; whether its zone is unknown."""
    match = _TIME.fullmatch(line.value.strip()) if line else None
    if not (line and match):
        return None, False, False
    year, month, day, hour, minute, second, utc = match.groups()
    try:
        clock = datetime(
            int(year), int(month), int(day), int(hour or 0), int(minute or 0), min(int(second or 0), 59), tzinfo=UTC
        )
        if hour is None:
            return clock, True, False
        if utc:
            return clock, False, False
        offset = _offset(zones.get(line.parameters.get("TZID", "")), clock)
        if offset is None:
            return clock, False, True
        return clock.replace(tzinfo=timezone(offset)), False, False
    except (ValueError, OverflowError):
        return None, False, False


def _after(start: datetime | None, duration: str, *, all_day: bool) -> datetime | None:
    """When what begins at ``start`` ends, by its duration; a day without one lasts a day (RFC 5545, 3.6.1)."""
    match = _DURATION.fullmatch(duration)
    if not start or not (match or all_day):
        return None
    weeks, days, hours, minutes, seconds = (int(number or 0) for number in (match.groups() if match else ()) or "00000")
    lasts = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    try:
        return start + (lasts or timedelta(days=1 if all_day else 0))
    except OverflowError:
        return None


def _offset(zone: _Component | None, clock: datetime) -> timedelta | None:
    """How far a zone is from UTC at a clock time: by that of its rules that began last before it."""
    if zone is None:
        return None
    began = [found for rule in zone.inside[:200] for found in _onsets(rule, clock)]
    before = [one for one in began if one[0] <= clock]
    if before:
        return max(before)[1]
    return min(began)[1] if began else None


def _onsets(rule: _Component, clock: datetime) -> Sequence[tuple[datetime, timedelta]]:
    """When a STANDARD or DAYLIGHT rule last set in, and what it then sets (RFC 5545, 3.6.5)."""
    to = _OFFSET.fullmatch(rule.text("TZOFFSETTO", 10))
    begins = _TIME.fullmatch(rule.text("DTSTART", 20))
    if not to:
        return ()
    minutes = int(to[2]) * 60 + int(to[3])
    offset = timedelta(minutes=-minutes if to[1] == "-" else minutes)
    if abs(offset) >= timedelta(hours=24) or not begins:
        return ()
    year, month, day, hour, minute = (int(begins[part] or 0) for part in range(1, 6))
    # Outlook begins its zones in 1601, which is a year like any other.
    first = datetime(year, month, day, hour, minute, tzinfo=UTC)
    repeated = dict(pair.partition("=")[::2] for pair in rule.text("RRULE", 200).upper().split(";"))
    nth = _DAY.fullmatch(repeated.get("BYDAY", ""))
    if repeated.get("FREQ") != "YEARLY" or not nth:
        return ((first, offset),)
    month = int(repeated.get("BYMONTH", "")) if repeated.get("BYMONTH", "").isdecimal() else month
    days = (_nth_day(of, month, int(nth[1]), _WEEK.index(nth[2])) for of in (clock.year - 1, clock.year))
    return tuple((one.replace(hour=hour, minute=minute), offset) for one in days)


def _nth_day(year: int, month: int, nth: int, weekday: int) -> datetime:
    """The first, second … or last (-1) such day of a month."""
    if nth > 0:
        first = datetime(year, month, 1, tzinfo=UTC)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    last = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7 + 7 * (-nth - 1))
