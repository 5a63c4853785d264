"""Many rows at once, past the ORM: a first sync writes fifteen of them for every email.

The columns, their order and how a value is written come from the models, so a migration needs nothing here.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from django.db import connection, models
from django.db.models.options import Options

AT_ONCE = 2_000
"""Rows handed to the database in one call."""
Value = Any
"""Whatever the column takes."""


def reserve(model: type[models.Model], count: int) -> range:
    """Primary keys for rows about to be inserted, in the order of arrival. Only inside a transaction that writes."""
    table = _meta(model).db_table
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            # One writer at a time (BEGIN IMMEDIATE): nobody else can take these keys before we use them.
            cursor.execute("SELECT seq FROM sqlite_sequence WHERE name = %s", [table])
            found = cursor.fetchone()
            first = (found[0] if found else 0) + 1
            return range(first, first + count)
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
        (sequence,) = cursor.fetchone()
        # Setting the sequence forward in one step, under its own lock, makes the keys adjacent.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [sequence])
        cursor.execute(f"SELECT nextval('{sequence}')")  # the database's own name of its sequence
        (first,) = cursor.fetchone()
        if count > 1:
            cursor.execute("SELECT setval(%s, %s)", [sequence, first + count - 1])
        return range(first, first + count)


def insert(model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Value]]) -> None:
    """Insert rows: one value per name of ``names``, which are the model's attributes (``thread_id``, not ``thread``)."""
    sql, ways = _statement(model, tuple(names))
    prepared = [_prepared(row, ways) for row in rows]
    with connection.cursor() as cursor:
        for start in range(0, len(prepared), AT_ONCE):
            cursor.executemany(sql, prepared[start : start + AT_ONCE])


def _prepared(row: Sequence[Value], ways: Sequence[tuple[int, Callable[[Value], Value]]]) -> Sequence[Value]:
    if not ways:
        return row
    changed = list(row)
    for place, way in ways:
        if changed[place] is not None:
            changed[place] = way(changed[place])
    return changed


@cache
def _statement(
    model: type[models.Model], names: tuple[str, ...]
) -> tuple[str, Sequence[tuple[int, Callable[[Value], Value]]]]:
    """The INSERT, and the places whose values have to be rewritten for this database."""
    fields = {field.attname: field for field in _meta(model).concrete_fields}
    missing = {
        field.attname
        for field in fields.values()
        if field.attname not in names and not field.primary_key and not field.null and not field.has_default()
    }
    if missing - {"at"}:
        raise ValueError(f"{model.__name__} needs {sorted(missing)}")
    quote = connection.ops.quote_name
    columns = ", ".join(quote(fields[name].column) for name in names)
    marks = ", ".join(["%s"] * len(names))
    sql = f"INSERT INTO {quote(_meta(model).db_table)} ({columns}) VALUES ({marks})"  # noqa: S608  # names of our models
    ways = [(place, way) for place, name in enumerate(names) if (way := _way(fields[name]))]
    return sql, ways


def _meta(model: type[models.Model]) -> "Options[models.Model]":
    return model._meta  # noqa: SLF001  # public in spite of its name (Django, Model _meta API)


def _way(field: "models.Field[Any, Any]") -> Callable[[Value], Value] | None:
    """How a value of this field is written, where it is not written as it is."""
    if isinstance(field, models.JSONField):
        return _json
    if connection.vendor == "sqlite":
        if isinstance(field, models.DateTimeField):
            return _moment
        if isinstance(field, models.UUIDField):
            return _hex
    return None


def _json(value: Value) -> Value:
    text = json.dumps(value)
    return text if connection.vendor == "sqlite" else connection.ops.adapt_json_value(value, None)


def _moment(value: datetime) -> str:
    return str(connection.ops.adapt_datetimefield_value(value))


def _hex(value: UUID) -> str:
    return value.hex
