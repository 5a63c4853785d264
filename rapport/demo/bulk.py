"""Bulk is the mail no person wrote to you: newsletters, and the post's own report of a mail that came back."""

import hashlib
import html
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime

from rapport.demo.cast import DOMAIN, INFO
from rapport.demo.days import moment
from rapport.demo.script import Address, blocks
from rapport.demo.writing import WORD, encoded, joined, mailboxes, text_part


@dataclass(frozen=True)
class Issue:
    """One issue of a newsletter, as one subscriber gets it."""

    sender: Address
    to: str
    colour: str
    number: int
    when: datetime
    subject: str
    said: list[str]

    @property
    def domain(self) -> str:
        """Where its links lead."""
        return self.sender.address.partition("@")[2]

    @property
    def token(self) -> str:
        """What tells the sender who opened it."""
        return hashlib.sha256(f"{self.sender.address} {self.number} {self.to}".encode()).hexdigest()[:20]

    @property
    def leave(self) -> str:
        """Where to unsubscribe."""
        return f"https://{self.domain}/unsubscribe/{self.token}"


def newsletters(now: datetime) -> Iterator[tuple[str, datetime, bytes]]:
    """Every newsletter: into which mailbox, when, and its bytes."""
    for head, block in blocks("bulk.txt"):
        name, address, mailbox, colour = head.split(" | ")
        for number, (issue, paragraphs) in enumerate(_issues(block), 1):
            when, subject = issue.split(" | ")
            day, to = moment(when, now), f"{mailbox}@{DOMAIN}"
            yield to, day, _newsletter(Issue(Address(name, address), to, colour, number, day, subject, paragraphs))


def _issues(block: list[str]) -> Iterator[tuple[str, list[str]]]:
    starts = [at for at, text in enumerate(block) if text.startswith("--- ")]
    for at, end in zip(starts, [*starts[1:], len(block)], strict=True):
        yield block[at].removeprefix("--- "), [text for text in block[at + 1 : end] if text]


def _newsletter(issue: Issue) -> bytes:
    domain, token, date = issue.domain, issue.token, format_datetime(issue.when)
    headers = [
        f"Received: from out.{domain} (out.{domain} [192.0.2.77])\r\n by mx.alderfinch.example; {date}",
        f"From: {mailboxes([issue.sender])}",
        f"To: {issue.to}",
        f"Subject: {encoded('Subject', issue.subject)}",
        f"Date: {date}",
        f"Message-ID: <{token}@{domain}>",
        f"List-Id: <letter.{domain}>",
        f"List-Unsubscribe: <{issue.leave}>, <mailto:leave-{token}@{domain}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Precedence: bulk",
        "MIME-Version: 1.0",
    ]
    links = f"Read it online: https://{domain}/{issue.number}\nUnsubscribe: {issue.leave}\n"
    plain = "\n\n".join([issue.subject, *issue.said, links])
    body = joined("alternative", [text_part(plain, "plain"), text_part(_page(issue), "html")], token)
    return ("\r\n".join(headers) + "\r\n").encode("ascii") + body


def _page(issue: Issue) -> str:
    """A newsletter the way they are built: tables, styles on every cell, pictures from elsewhere, a pixel that tells."""
    font, colour = "font-family:Georgia,serif", issue.colour
    online, images = f"https://{issue.domain}/{issue.number}", f"https://images.{issue.domain}"
    subject, name = html.escape(issue.subject), html.escape(issue.sender.name)
    cell = f"padding:12px 32px;{font};font-size:16px;line-height:26px;color:#333"
    rows = "".join(f'<tr><td style="{cell}">{html.escape(text)}</td></tr>' for text in issue.said)
    return f"""<!DOCTYPE html>
<html><head><meta charset="utf-8"><title>{subject}</title>
<style>@media (max-width:600px) {{ .card {{ width:100% !important }} }}</style></head>
<body style="margin:0;background:#f1efe9">
<div style="display:none;max-height:0;overflow:hidden">{html.escape(issue.said[0][:90])}</div>
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" bgcolor="#f1efe9"><tr><td align="center">
<table class="card" role="presentation" width="600" cellpadding="0" cellspacing="0" bgcolor="#ffffff">
<tr><td bgcolor="#{colour}" style="padding:24px 32px;{font};font-size:22px;color:#ffffff">{name}</td></tr>
<tr><td><img src="{images}/{issue.number}/cover.jpg" width="600" height="280" alt="{subject}" style="display:block">
</td></tr>
<tr><td style="padding:28px 32px 4px;{font};font-size:26px;line-height:32px;color:#{colour}">{subject}</td></tr>
{rows}
<tr><td style="padding:12px 32px 32px"><a href="{online}?r={issue.token}" style="background:#{colour};color:#fff;
padding:10px 18px;text-decoration:none;{font}">Read on</a></td></tr>
<tr><td style="padding:16px 32px;background:#faf9f6;{font};font-size:12px;color:#777">You get this because you asked
for it. <a href="{issue.leave}" style="color:#777">Unsubscribe</a></td></tr>
</table></td></tr></table>
<img src="{images}/open/{issue.token}.gif" width="1" height="1" alt="">
</body></html>
"""


def returned(now: datetime) -> tuple[str, datetime, bytes]:
    """A report that a mail came back (RFC 3464), with the head of that mail."""
    when = moment("-19 10:16", now)
    lost = "info@kaffehuset-luna.example"
    sent = format_datetime(when - timedelta(minutes=1))
    original = (
        f"From: Jonah Adeyemi <{INFO}>\r\nTo: {lost}\r\nSubject: Your rafts are ready to be fetched\r\n"
        f"Date: {sent}\r\nMessage-ID: <5b1c0e77-rafts-luna@alderfinch.example>\r\n"
    )
    said = (
        "This is the mail system at mx.alderfinch.example.\n\nYour message could not be delivered:\n\n"
        f"<{lost}>: host mx.kaffehuset-luna.example said: 550 5.1.1 No such mailbox here\n"
    )
    status = (
        f"{WORD}message/delivery-status\r\n\r\nReporting-MTA: dns; mx.alderfinch.example\r\nArrival-Date: {sent}\r\n\r\n"
        f"Final-Recipient: rfc822; {lost}\r\nAction: failed\r\nStatus: 5.1.1\r\n"
        "Diagnostic-Code: smtp; 550 5.1.1 No such mailbox here\r\n"
    )
    head = f"{WORD}text/rfc822-headers\r\n\r\n{original}"
    report = joined("report", [text_part(said, "plain"), status.encode(), head.encode()], "bounce")
    report = report.replace(b"multipart/report;", b"multipart/report; report-type=delivery-status;", 1)
    headers = (
        f"Return-Path: <>\r\nFrom: Mail Delivery System <mailer-daemon@alderfinch.example>\r\nTo: {INFO}\r\n"
        f"Subject: Undelivered Mail Returned to Sender\r\nDate: {format_datetime(when)}\r\n"
        "Message-ID: <20e1f6-bounce@mx.alderfinch.example>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n"
    )
    return INFO, when, headers.encode() + report
