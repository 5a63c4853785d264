"""When a message says it was written."""

import re
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_tz
from functools import lru_cache

_USUAL = re.compile(
    r"(?:[A-Z][a-z]{2}, )?(\d{1,2}) (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) (\d{4})"
    r" (\d\d):(\d\d):(\d\d) ([+-]\d{4})",
    re.ASCII,
)
_MONTHS = {name: 1 + number for number, name in enumerate("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())}
_COMMENT = re.compile(r"\([^()]*\)")
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(2100, 1, 1, tzinfo=UTC)


def read_date(value: str) -> datetime | None:
    """Read a Date header (RFC 5322, 3.3, and what is seen in its place); None outside 1970 to 2100 (hazard 69)."""
    words = value[:200]
    if "(" in words:
        words = _COMMENT.sub(" ", words)
    words = words.strip()
    date = _as_written_today(words) or _as_mail(words) or _as_iso(words)
    return date if date and _EARLIEST <= date < _LATEST else None


def _as_written_today(words: str) -> datetime | None:
    """``Mon, 6 May 2024 10:11:12 +0200``: what every program writes, read many times faster."""
    match = _USUAL.fullmatch(words)
    if not match:
        return None
    day, month, year, hour, minute, second, zone = match.groups()
    try:
        return datetime(
            int(year),
            _MONTHS[month],
            int(day),
            int(hour),
            int(minute),
            min(int(second), 59),
            tzinfo=_written_zone(zone),
        )
    except ValueError:
        return None


@lru_cache(maxsize=200)
def _written_zone(zone: str) -> timezone:
    """``+0530``."""
    minutes = int(zone[1:3]) * 60 + int(zone[3:])
    return _zone(-60 * minutes if zone[0] == "-" else 60 * minutes)


def _as_mail(words: str) -> datetime | None:
    try:
        fields = parsedate_tz(words)
        if not fields:
            return None
        year, month, day, hour, minute, second = fields[:6]
        # A leap second is the last second of its minute; -0000 says the place is unknown (RFC 5322, 3.3).
        return datetime(year, month, day, hour, minute, min(second, 59), tzinfo=_zone(fields[9]))
    # The standard parser raises the other three on a handful of malformed dates.
    except (ValueError, OverflowError, IndexError, TypeError, AttributeError):
        return None


def _zone(offset: int | None) -> timezone:
    if not offset or abs(offset) > 14 * 3600:
        return UTC
    return timezone(timedelta(seconds=offset))


def _as_iso(words: str) -> datetime | None:
    try:
        date = datetime.fromisoformat(words)
        return date if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
