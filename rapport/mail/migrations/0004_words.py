"""The full-text index, in each database's own way."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SQLITE = """
CREATE VIRTUAL TABLE mail_words USING fts5 (
    head, text, content='mail_body', content_rowid='message_id',
    tokenize='unicode61 remove_diacritics 2'
)
"""
POSTGRESQL = """
CREATE TABLE mail_words (
    message_id bigint PRIMARY KEY REFERENCES mail_message (id) ON DELETE CASCADE,
    words tsvector NOT NULL
);
CREATE INDEX mail_words_words ON mail_words USING gin (words);
"""


def make(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    if schema_editor.connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)
        # Fewer and larger merges: a first sync writes the index in half the time.
        schema_editor.execute("INSERT INTO mail_words (mail_words, rank) VALUES ('automerge', 16)")
    else:
        schema_editor.execute(POSTGRESQL)


def unmake(_apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    schema_editor.execute("DROP TABLE mail_words")


class Migration(migrations.Migration):
    dependencies = [("mail", "0003_head")]
    operations = [migrations.RunPython(make, unmake)]
