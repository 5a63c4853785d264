"""Hostile HTML of our own; ``t.ex`` stands for somebody else's machine. Other projects' come with RAPPORT_CORPORA."""

import json
import os
from pathlib import Path

OWN = [
    "<img src=http://t.ex/1>",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<script src=http://t.ex/s.js></script>",
    "<svg onload=alert(1)><image href=http://t.ex/2 /></svg>",
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<iframe src=http://t.ex/f></iframe>",
    "<style>@import 'http://t.ex/i.css'; body{background:url(http://t.ex/b)}</style>",
    "<style>@font-face{font-family:f;src:url(http://t.ex/f)} p{font-family:f}</style><p>x</p>",
    "<p style='background:u\\72l(http://t.ex/3)'>x</p>",
    "<p style='background:image-set(\"http://t.ex/4\" 1x)'>x</p>",
    "<p style='--a:url(http://t.ex/5);background:var(--a)'>x</p>",
    "<table background=http://t.ex/6><tr><td>x</td></tr></table>",
    "<video poster=http://t.ex/7 src=http://t.ex/8 autoplay></video>",
    "<object data=http://t.ex/9></object><embed src=http://t.ex/10>",
    "<link rel=stylesheet href=http://t.ex/11><link rel=preload as=image href=http://t.ex/12>",
    "<meta http-equiv=refresh content='0;url=http://t.ex/13'>",
    "<base href=http://t.ex/><img src=14>",
    "<form action=http://t.ex/15><input type=image src=http://t.ex/16></form>",
    "<details open ontoggle=alert(1)>x</details>",
    "<img srcset='http://t.ex/17 1x'><picture><source srcset=http://t.ex/18><img></picture>",
    "<div style='position:fixed;inset:0;background:red'>Sign in</div>",
    "<a href='javascript:alert(1)' id=go>x</a>",
    "<body onload=alert(1) background=http://t.ex/19>",
]


def vectors(most: int = 60) -> list[str]:
    """Our own, and as many of other projects' as fit."""
    found = list(OWN)
    if corpora := os.environ.get("RAPPORT_CORPORA"):
        remote = json.loads((Path(corpora) / "remote-load-vectors/data/vectors.json").read_text(encoding="utf-8"))
        dompurify = json.loads((Path(corpora) / "dompurify-vectors/data/expect.json").read_text(encoding="utf-8"))
        lists = sorted((Path(corpora) / "payloads/data/XSS Injection/Intruders").glob("*.txt"))
        lines = [line for path in lists for line in path.read_text(encoding="utf-8", errors="replace").splitlines()]
        others = [[one["html"] for one in remote], [one["payload"] for one in dompurify], lines]
        each = max(1, (most - len(found)) // 3)
        for source in others:
            found += source[:: max(1, len(source) // each)][:each]
    return found[:most]
