"""The words of HTML mail: one block a line, nothing that a reader would not see."""

import time

import pytest

from rapport.mime.html_text import html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>three</p>", "One\n\nTwo\nthree"),
        ("<div>a<span> b</span>\n c</div>d", "a b c\nd"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>", "a b\nc"),
        ("<ul><li>one<li>two</ul>", "- one\n- two"),
        ("x<blockquote>y<blockquote>z</blockquote></blockquote>w", "x\n>\n> y\n>>\n>> z\n>\nw"),
        ("<pre>a  b\n  c</pre>", "a  b\n  c"),
        ("a &lt;b&gt; &amp; &nbsp; c", "a <b> & c"),
        ("<STYLE>p{}</Style ><title>T</title>a<script>if(a<b)'</p>'</script>b", "ab"),
        ("<style>never ends a", "never ends a"),
        ("<textarea>kept</textarea><!-- not --><!-->seen<!--[if mso]>not<![endif]-->", "keptseen"),
        ("a<!-- never ends", "a"),
        ("a < b <3 c", "a < b <3 c"),
        ('a<b title="x>y">c</b>d', "acd"),
        ('a<b title="never ends>c', "ac"),
        ("</blockquote></pre>a", "a"),
        ("", ""),
    ],
)
def test_a_page_is_read_as_a_person_reads_it(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize(
    "html",
    [
        "<a " * 600_000,
        "<style>" * 280_000,
        "<!--" * 500_000,
        "<x '" * 400_000,
        "<p>" * 600_000,
        "<" * 2_000_000,
        "<pre>a\n" * 250_000,
    ],
)
def test_two_megabytes_take_little_time(html: str) -> None:
    started = time.process_time()

    html_to_text(html)

    assert time.process_time() - started < 2
