"""``rapport host``: servers that pages may reach though they are private or on unusual ports."""

from rapport.audit.models import note
from rapport.cli.say import Commands, Failed, Told, say
from rapport.connect.models import AllowedHost


def add_to(commands: Commands) -> None:
    """Offer the command."""
    group = commands.add_parser("host", help="servers inside your own network").add_subparsers(
        dest="verb", metavar="VERB", required=True
    )
    allow = group.add_parser("allow", help="let mailboxes be connected at this host and port")
    allow.add_argument("target", metavar="HOST:PORT")
    allow.set_defaults(run=_allow)


def _allow(told: Told) -> None:
    host, colon, port = told.target.rpartition(":")
    host = host.removeprefix("[").removesuffix("]").strip().rstrip(".").lower()
    if not (colon and host and port.isdigit() and 0 < int(port) < 65536):
        raise Failed(f"{told.target!r} is not HOST:PORT.", code=2)
    AllowedHost.objects.get_or_create(host=host, port=int(port), account=None)
    note("host allowed", f"{host}:{port}", by=None)
    say(f"Mailboxes at {host}, port {port} can be connected now.")
