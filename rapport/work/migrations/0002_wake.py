"""On PostgreSQL, asking for work wakes the engine. SQLite counts commits by itself (docs/decisions/0007)."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

MAKE = """
CREATE FUNCTION rapport_work_wake() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NOTIFY rapport;
    RETURN NULL;
END $$;
CREATE TRIGGER rapport_wake AFTER INSERT OR UPDATE ON work_due
    FOR EACH STATEMENT EXECUTE FUNCTION rapport_work_wake();
"""
UNMAKE = """
DROP TRIGGER rapport_wake ON work_due;
DROP FUNCTION rapport_work_wake();
"""


def make(_: StateApps, schema: BaseDatabaseSchemaEditor) -> None:
    if schema.connection.vendor == "postgresql":
        schema.execute(MAKE)


def unmake(_: StateApps, schema: BaseDatabaseSchemaEditor) -> None:
    if schema.connection.vendor == "postgresql":
        schema.execute(UNMAKE)


class Migration(migrations.Migration):
    dependencies = [("work", "0001_initial")]
    operations = [migrations.RunPython(make, unmake)]
