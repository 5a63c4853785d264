"""Many rows at once, past the ORM: a first sync writes fifteen of them for every email.

The columns, their order and how a value is written come from the models, so a migration needs nothing here.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models.options import Options

AT_ONCE = 2_000
"""Rows handed to the database in one call."""
Value = Any
"""Whatever the column takes."""
Ways = Sequence[tuple[int, Callable[[Value], Value]]]
"""The places in a row whose values are written otherwise than they are, and how."""


def reserve(model: type[models.Model], count: int) -> Sequence[int]:
    """Primary keys for rows about to be inserted, in the order of arrival. Only inside a transaction that writes.

    They grow, and may have gaps: on PostgreSQL others take theirs in between, and nobody waits for anybody.
    """
    table = _meta(model).db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # One writer at a time (BEGIN IMMEDIATE): nobody else can take these keys before we use them.
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            found = cursor.fetchone()
            first = (found[0] if found else 0) + 1
            return range(first, first + count)
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s) ORDER BY 1", [table, count]
        )
        return [key for (key,) in cursor.fetchall()]


def insert(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Value]],
    *,
    ignore: bool = False,
    update_on: tuple[str, ...] = (),
) -> None:
    """Insert rows: one value per name of ``names``, which are the model's attributes (``thread_id``, not ``thread``).

    What is there already is left alone (``ignore``), or updated where these attributes are equal (``update_on``).
    """
    table, columns, ways = _target(model, tuple(names))
    prepared = [_prepared(row, ways) for row in rows]
    if not prepared:
        return
    if connection.vendor == "postgresql" and not (ignore or update_on):
        _copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN", prepared)
        return
    marks = f"({', '.join(['%s'] * len(columns))})"
    sql = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "  # noqa: S608  # names of our models
    conflict = _on_conflict(model, names, ignore=ignore, update_on=update_on)
    with connection.cursor() as cursor:
        for start in range(0, len(prepared), AT_ONCE):
            batch = prepared[start : start + AT_ONCE]
            if connection.vendor == "postgresql":
                once = _last_of_each(batch, [names.index(name) for name in update_on])
                cursor.execute(
                    sql + ", ".join([marks] * len(once)) + conflict, [value for row in once for value in row]
                )
            else:
                cursor.executemany(sql + marks + conflict, batch)


def _on_conflict(model: type[models.Model], names: Sequence[str], *, ignore: bool, update_on: tuple[str, ...]) -> str:
    if ignore:
        return " ON CONFLICT DO NOTHING"
    if not update_on:
        return ""
    same = ", ".join(_target(model, update_on, part=True)[1])
    changed = _target(model, tuple(name for name in names if name not in update_on), part=True)[1]
    return f" ON CONFLICT ({same}) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in changed)}"


def _last_of_each(batch: Sequence[Sequence[Value]], places: Sequence[int]) -> Sequence[Sequence[Value]]:
    """Of rows that are equal in these places the last: PostgreSQL updates no row twice in one statement."""
    if not places:
        return batch
    return list({tuple(row[place] for place in places): row for row in batch}.values())


def _copy(sql: str, rows: Iterable[Sequence[Value]]) -> None:
    """PostgreSQL's way for many rows: one statement, no answer to wait for between them."""
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(sql) as stream:
        for row in rows:
            stream.write_row(row)


def _prepared(row: Sequence[Value], ways: Ways) -> Sequence[Value]:
    if not ways:
        return row
    changed = list(row)
    for place, way in ways:
        if changed[place] is not None:
            changed[place] = way(changed[place])
    return changed


@cache
def _target(
    model: type[models.Model], names: tuple[str, ...], *, part: bool = False
) -> tuple[str, Sequence[str], Ways]:
    """The table, its columns, and the places whose values have to be rewritten for this database."""
    fields = {field.attname: field for field in _meta(model).concrete_fields}
    missing = {
        field.attname
        for field in fields.values()
        if field.attname not in names and not field.primary_key and not field.null and not field.has_default()
    }
    if missing and not part:
        raise ValueError(f"{model.__name__} needs {sorted(missing)}")
    quote = connection.ops.quote_name
    ways = [(place, way) for place, name in enumerate(names) if (way := _way(fields[name]))]
    return quote(_meta(model).db_table), [quote(fields[name].column) for name in names], ways


def _meta(model: type[models.Model]) -> "Options[models.Model]":
    return model._meta  # noqa: SLF001  # public in spite of its name (Django, Model _meta API)


def _way(field: "models.Field[Any, Any]") -> Callable[[Value], Value] | None:
    """How a value of this field is written, where it is not written as it is."""
    sqlite = connection.vendor == "sqlite"
    if isinstance(field, models.JSONField):
        return _json if sqlite else _jsonb
    if sqlite and isinstance(field, models.DateTimeField):
        return _moment
    if sqlite and isinstance(field, models.UUIDField):
        return _hex
    return None


def _json(value: Value) -> str:
    return _ENCODE(value)


_ENCODE = json.JSONEncoder().encode


def _jsonb(value: Value) -> Value:
    return connection.ops.adapt_json_value(value, None)


def _moment(value: datetime) -> str:
    """As Django writes an aware moment into SQLite: in UTC, without saying so."""
    return str(value.astimezone(UTC).replace(tzinfo=None))


def _hex(value: UUID) -> str:
    return value.hex
