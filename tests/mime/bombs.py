"""Small mails that cost a careless parser seconds and gigabytes (security.md [M2]), and some of our own finding."""

HTML = b"Content-Type: text/html\n\n"
MIXED = b"Content-Type: multipart/mixed; boundary=b\n\n"

BOMBS: dict[str, bytes] = {
    "encoded words": b"Subject: " + b"\n ".join([b"=?utf-8?q?abc?="] * 50_000) + b"\n\nx",
    "recipients": b"To: " + b", ".join(b"Some Name <user%d@shop.example>" % i for i in range(100_000)) + b"\n\nx",
    "quotes": b"To: " + b'"' * 100_000 + b"\n\nx",
    "escaped quotes": b"To: " + b'"\\' * 50_000 + b"\n\nx",
    "comments": b"To: " + b"(" * 30_000 + b")" * 30_000 + b"\n\nx",
    "open comments": b"To: " + b"(" * 60_000 + b"\n\nx",
    "filename pieces": b"Content-Type: a/b\nContent-Disposition: attachment"
    + b"".join(b"; filename*%d=a" % i for i in range(100_000))
    + b"\n\nx",
    "nested multiparts": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (i, i) for i in range(20_000)
    ),
    "nested messages": b"Content-Type: message/rfc822\n\n" * 5_000,
    "flat parts": MIXED + b"--b\n\nx\n" * 100_000,
    "references": b"References: " + b"\n ".join(b"<%d@x>" % i for i in range(100_000)) + b"\n\nx",
    "semicolons": b"Content-Type: text/plain" + b"; " * 30_000 + b"\n\nx",
    "header lines": b"X: y\n" * 200_000 + b"\nx",
    "nested boxes": HTML + b"<div>" * 50_000,
    "unclosed fonts": HTML + b"".join(b"<font size=%d>" % i for i in range(5_000)) + b"<p>x" * 400_000,
    "fonts reopened": HTML + b"<p>" + b"".join(b"<font size=%d>" % i for i in range(240)) + b"<div>x</div>" * 150_000,
    "tags without end": HTML + b"<a " * 600_000,
    "ampersands": HTML + b"&" * 1_000_000,
    "comments without end": HTML + b"<!--" * 400_000,
    "nested tables": HTML + b"<table><tr><td>" * 100_000,
    "flowed": b"Content-Type: text/plain; format=flowed\n\n" + b"a \n" * 1_000_000,
    "quoted lines": b"\n" + b"> " * 500_000 + b"\n" + b"> a\n" * 300_000,
    "introductions": b"\n" + b"On 2024-01-01 10:00\n" * 80_000,
}
