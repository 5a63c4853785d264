"""``rapport demo``: a made-up firm with a living mailbox, in a home of its own."""

from rapport.cli.say import Commands


def add_to(commands: Commands) -> None:
    """Offer the command."""
    del commands
