"""``rapport contact`` and ``rapport company``: records made by hand."""

from rapport.cli.say import Commands, Failed, Told, give, say
from rapport.crm import verbs


def add_to(commands: Commands) -> None:
    """Offer the commands."""
    contact = commands.add_parser("contact", help="people you know").add_subparsers(
        dest="verb", metavar="VERB", required=True
    )
    add = contact.add_parser("add", help="add a contact; older emails are associated at the next sync")
    add.add_argument("address")
    add.add_argument("--name", required=True)
    add.add_argument("--json", action="store_true")
    add.set_defaults(run=_contact)
    company = commands.add_parser("company", help="organisations").add_subparsers(
        dest="verb", metavar="VERB", required=True
    )
    add = company.add_parser("add", help="add a company; emails of its domain are associated at the next sync")
    add.add_argument("name")
    add.add_argument("--domain", action="append", required=True, help="its mail domain; more than one is fine")
    add.add_argument("--json", action="store_true")
    add.set_defaults(run=_company)


def _contact(told: Told) -> None:
    try:
        contact = verbs.add_contact(told.name, [told.address], by=None)
    except verbs.CannotKeep as error:
        raise Failed(str(error)) from error
    if told.json:
        give({"id": str(contact.uuid), "name": contact.name, "addresses": [told.address.strip().lower()]})
    say(f"{contact.name} is a contact.")


def _company(told: Told) -> None:
    try:
        company = verbs.add_company(told.name, told.domain, by=None)
    except verbs.CannotKeep as error:
        raise Failed(str(error)) from error
    if told.json:
        domains = [row.domain for row in company.domains.all()]
        give({"id": str(company.uuid), "name": company.name, "domains": domains})
    say(f"{company.name} is a company.")
