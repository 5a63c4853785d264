"""``rapport user``: people who sign in."""

from rapport.audit.models import note
from rapport.cli.say import Commands, Failed, Told, give, password, say
from rapport.people import verbs


def add_to(commands: Commands) -> None:
    """Offer the command."""
    group = commands.add_parser("user", help="people who sign in").add_subparsers(
        dest="verb", metavar="VERB", required=True
    )
    add = group.add_parser("add", help="add a person")
    add.add_argument("address", help="the email address they sign in with")
    add.add_argument("--name", required=True)
    add.add_argument("--admin", action="store_true", help="give them the administrator's role")
    add.add_argument("--password-stdin", action="store_true", required=True, help="read the password from stdin")
    add.add_argument("--json", action="store_true")
    add.set_defaults(run=_add)


def _add(told: Told) -> None:
    try:
        user = verbs.add(told.address, name=told.name, password=password(), admin=told.admin)
    except verbs.CannotAdd as error:
        raise Failed(str(error)) from error
    note("user added", user.address + (" (administrator)" if user.is_admin else ""), by=None)
    if told.json:
        give({"address": user.address, "name": user.name, "admin": user.is_admin, "id": str(user.uuid)})
    else:
        say(f"{user.name} can sign in as {user.address}.")
