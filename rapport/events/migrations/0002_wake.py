"""On PostgreSQL, writing an event wakes whoever listens; and events become visible in the order of their numbers.

SQLite needs neither: it counts commits, and lets one writer in at a time (docs/decisions/0007).
"""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# A page asks for what came after the last number it heard. Were number 8 committed before number 7, it would never
# hear of 7. So whoever writes events waits for the others who do, from its first event to its commit. The lock's key
# is "rapp" and 1; locks of this kind belong to one database.
MAKE = """
CREATE FUNCTION rapport_events_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(1918988400, 1);
    NOTIFY rapport;
    RETURN NULL;
END $$;
CREATE TRIGGER rapport_wake BEFORE INSERT ON events_event
    FOR EACH STATEMENT EXECUTE FUNCTION rapport_events_wake();
"""
UNMAKE = """
DROP TRIGGER rapport_wake ON events_event;
DROP FUNCTION rapport_events_wake();
"""


def make(_: StateApps, schema: BaseDatabaseSchemaEditor) -> None:
    if schema.connection.vendor == "postgresql":
        schema.execute(MAKE)


def unmake(_: StateApps, schema: BaseDatabaseSchemaEditor) -> None:
    if schema.connection.vendor == "postgresql":
        schema.execute(UNMAKE)


class Migration(migrations.Migration):
    dependencies = [("events", "0001_initial")]
    operations = [migrations.RunPython(make, unmake)]
