"""What somebody wrote, and what their program put below it: the quoted mail, the signature.

Looked at line by line, each line a bounded number of times (R63): a megabyte takes well under a second.
"""

import re

_LONGEST = 400
"""Characters of a line that are looked at; no introduction is longer."""

_UNSEEN = re.compile(
    "[\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff9-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0001"
    "\U000e0020-\U000e007f]"
)
_FIRST = frozenset("-_=—")
"""With which a ruled line begins, and a signature."""
_SIGNATURE = re.compile(r"--\s?|__+\s?|—\s?")
_SENT = (
    "sent from (?:my|mail for|outlook|yahoo|proton|the|samsung)", "get outlook for", "sent via", "sent with",
    "von meinem .{1,40}gesendet", "gesendet (?:von|mit)", "diese nachricht wurde von meinem", "envoyé (?:de|depuis)",
    "obtenir outlook pour", "télécharger outlook pour", "enviado (?:desde|do|a partir)", "inviato d(?:a|al|allo)",
    "verzonden vanaf", "verstuurd vanaf", "sendt fra", "skickat från", "lähetetty", "wysłane z", "odesláno z",
    "отправлено (?:с|из)", "iphone から送信", "发自我的", "從我的",
)  # fmt: skip
_SENT_FROM = re.compile(f"(?:{'|'.join(_SENT)})[^,!?]{{0,80}}", re.IGNORECASE)
_SIGNATURE_INITIALS = _FIRST | {start[0] for start in _SENT} | {start[0].upper() for start in _SENT}

# "On … wrote:", as written by Gmail, Apple Mail, Thunderbird, Yahoo and others in the languages we know of.
_STARTS = (
    "on ", "am ", "le ", "el ", "il ", "op ", "em ", "den ", "på ", "dnia ", "dne ", "în ", "w dniu ", "a ", "ha ",
    "il giorno ", "em ter", "na ", "fre", "man", "tir", "ons", "tor", "lør", "søn", "am,", "el día", "в ", "у ", "на ",
)  # fmt: skip
_ENDS = (
    "wrote", "writes", "said", "schrieb", "geschrieben", "a écrit", "écrit", "escribió", "escribio", "escrigué",
    "ha scritto", "scrisse", "schreef", "geschreven", "heeft het volgende geschreven", "escreveu", "skrev", "skrifaði",
    "kirjoitti", "napisał", "napisał(a)", "napisała", "napsal", "napsal(a)", "napísal", "napísal(a)", "a scris",
    "írta", "ezt írta", "έγραψε", "yazdı", "şunu yazdı", "написал", "написала", "написал(а)", "пишет", "писал",
    "написав", "написа", "пише", "viết", "đã viết", "menulis", "เขียน", "写道", "寫道", "のメッセージ", "書きました",
    "wrote the following", "님이 작성", "작성", "כתב", "כתבה", "كتب",
)  # fmt: skip
_LAST = (":", "：", ">", "wrote", ":*")
"""With which an introduction ends."""
_LAST_SIGNS = frozenset(end[-1] for end in _LAST) | {"E"}
_HAS_DATE = re.compile(r"\d{4}|\d{1,2}[:.h]\d\d|\d{1,2}[./-]\d{1,2}")
_HAS_ADDRESS = re.compile(r"[^\s@<]{1,64}@[^\s@>]{1,255}")
_BEGINS_WITH_DATE = re.compile(r"[<(\[]?(?:\d{1,4}[-./年]\s?\d{1,2}|\w{2,4}[,.] \d)")

# "-----Original Message-----", and the line of underscores that Outlook on the web draws.
_RULED = re.compile(
    r"[-_=—]{2,20}\s*(?:original(?: message| appointment)?|oorspronkelijk bericht|ursprüngliche nachricht"
    r"|originalnachricht|original ?meddelande|ursprungligt meddelande|oprindelig meddelelse|opprinnelig melding"
    r"|original ?besked|message d'origine|message original|mensaje original|messaggio originale"
    r"|mensagem original|oryginalna wiadomość|wiadomość oryginalna|původní zpráva|pôvodná správa|mesaj original"
    r"|eredeti üzenet|orijinal (?:ileti|mesaj)|исходное сообщение|пересылаемое сообщение|оригинальное сообщение"
    r"|alkuperäinen viesti|reply message|reply separator|原始邮件|原邮件|原始郵件|元のメッセージ"
    r"|forwarded message|forwarded by .{1,100}|weitergeleitete nachricht|message transféré|mensaje reenviado"
    r"|messaggio inoltrato|mensagem encaminhada|doorgestuurd bericht|vidarebefordrat meddelande"
    r")\s*[-_=—]{2,20}",
    re.IGNORECASE,
)
_BEGIN = re.compile(r"(?:begin forwarded message|anfang der weitergeleiteten nachricht|début du message (?:transféré|réexpédié)"
                    r"|inizio messaggio inoltrato|inicio del mensaje reenviado)\s?:", re.IGNORECASE)  # fmt: skip

# Outlook's block: a line "From:", and below it at least two of the others.
_FROM = frozenset(
    """from von de da van från fra lähettäjä od от від kimden feladó de la από 发件人 寄件者 差出人 보낸사람 מאת من
    expéditeur remitente odesílatel""".split()
)
_WITH_FROM = frozenset(
    """sent date gesendet datum envoyé enviado enviada inviato data verzonden skickat sendt sent: lähetetty päivämäärä
    wysłano odesláno отправлено дата gönderildi tarih elküldve dátum to an à para a aan till til vastaanottaja do komu
    кому kime címzett subject betreff objet asunto oggetto assunto onderwerp ämne emne aihe temat předmět тема konu
    tárgy cc kopia kopie копия 发送时间 收件人 主题 日期 寄件日期 收件者 主旨 送信日時 宛先 件名 fecha отправлена reply-to
    trimis către subiect sendt: dato sent""".split()
)
_FIELD = re.compile(r"[*_]{0,2}([^\s:*_：]{1,20}(?: la)?)\s{0,3}[*_]{0,2}\s?[:：]")


def fold(text: str) -> tuple[str, str]:
    """Split a mail into what is new and what it quotes, signature included; together they are the whole text.

    Answers written between quoted lines are new, and so keep the lines they answer: only what trails is folded. A mail
    that is nothing but a quote (a forward) is all new.
    """
    lines = text.split("\n")
    seen = [_bare(line) for line in lines]
    cut = _first_marker(seen)
    cut = _without_trailing_quote(seen, cut)
    cut = _without_signature(seen, cut)
    while cut and not seen[cut - 1]:
        cut -= 1
    if not cut or not any(line and not line.startswith(">") for line in seen[:cut]):
        return text, ""
    if cut == len(lines) or not any(seen[cut:]):
        return text, ""
    return "\n".join(lines[:cut]), "\n".join(lines[cut:])


def is_introduction(line: str) -> bool:
    """Whether a line says "On … wrote:" in one of the languages we know."""
    low = _bare(line).lower()
    if not low.endswith(_LAST) or len(low) > _LONGEST - 1:
        return False
    ended = low.rstrip("*_ >").rstrip(":：").rstrip()
    dated = bool(_HAS_DATE.search(low))
    if ended.endswith(_ENDS):
        return dated or (bool(_HAS_ADDRESS.search(low)) and (low.startswith(_STARTS) or low.endswith(":")))
    # "Le 3 mai 2024 à 10:12, Ana <ana@…> :", "2024-05-03 10:12 GMT+02:00 Ana <ana@…>:"; "On …, Ana <ana@…> schrieb am":
    if dated and _HAS_ADDRESS.search(low) and low.endswith((":", "：")):
        return low.startswith(_STARTS) or bool(_BEGINS_WITH_DATE.match(low))
    # Verbs that stand before the name: "schrieb Ana am 3.5.2024:", "a écrit Ana".
    return (
        dated
        and low.endswith((":", "："))
        and any(
            f" {verb} " in low
            for verb in ("schrieb", "skrev", "scrisse", "napisał", "schreef", "escreveu", "geschreven", "пишет")
        )
    )


def _bare(line: str) -> str:
    line = line[:_LONGEST].strip()
    # What cannot be seen is not printable either, and asking for that is quick.
    return line if line.isascii() or line.isprintable() else _UNSEEN.sub("", line).replace("\xa0", " ").strip()


def _first_marker(seen: list[str]) -> int:
    """The line with which a quoted mail begins that is not marked line by line; the number of lines if none."""
    for number in _candidates(seen):
        line = seen[number]
        if not line or line.startswith(">"):
            continue
        if _begins_quote(seen, number) and not _is_answered_below(seen, number):
            return number
    return len(seen)


def _candidates(seen: list[str]) -> list[int]:
    """The few lines worth a closer look: ruled ones, those with a colon, and up to two above the end of an introduction."""
    found: set[int] = set()
    for number, line in enumerate(seen):
        if line[-1:] in _LAST_SIGNS and line.lower().endswith(_LAST):
            found.update((number, max(0, number - 1), max(0, number - 2)))
        elif line[:1] in _FIRST or ":" in line or "：" in line:
            found.add(number)
    return sorted(found)


def _begins_quote(seen: list[str], number: int) -> bool:
    line = seen[number]
    if line[0] in _FIRST and _RULED.match(line):
        return True
    if (":" in line or "：" in line) and (_BEGIN.match(line) or _is_block(seen, number)):
        return True
    # Programs fold the introduction: two or three lines may make one.
    low = line.lower()
    starts = low.startswith(_STARTS) or bool(_BEGINS_WITH_DATE.match(low)) or "<" in low or _HAS_DATE.search(low)
    if not starts:
        return False
    return any(
        _joins(seen, number, count) and is_introduction(" ".join(seen[number : number + count])) for count in (1, 2, 3)
    )


def _joins(seen: list[str], number: int, count: int) -> bool:
    lines = seen[number : number + count]
    if len(lines) < count or not all(lines) or any(line.startswith(">") for line in lines):
        return False
    # Prose does not become an introduction by the line below it.
    return count == 1 or (not lines[0].endswith((".", "!", "?", ":")) and bool(_HAS_DATE.search(" ".join(lines[:2]))))


def _is_block(seen: list[str], number: int) -> bool:
    if _field(seen[number]) not in _FROM:
        return False
    others = sum(_field(line) in _WITH_FROM for line in [line for line in seen[number + 1 : number + 10] if line][:5])
    return others >= 2


def _field(line: str) -> str:
    match = _FIELD.match(line)
    return match[1].lower() if match else ""


def _is_answered_below(seen: list[str], number: int) -> bool:
    """Whether somebody wrote between or below the ``>`` lines that an introduction announces."""
    after = number + 1
    while after < len(seen) and after <= number + 4 and not seen[after].startswith(">"):
        after += 1
    if after >= len(seen) or not seen[after].startswith(">"):
        return False
    quoted = False
    for line in seen[after:]:
        if line.startswith(">"):
            quoted = True
        elif line and quoted:
            return not (_is_signature(line) or _is_sent_from(line))
    return False


def _without_trailing_quote(seen: list[str], cut: int) -> int:
    """Lines marked with ``>`` at the end, and what introduces them."""
    end = cut
    while end and (not seen[end - 1] or seen[end - 1].startswith(">")):
        end -= 1
    if not any(line.startswith(">") for line in seen[end:cut]):
        return cut
    for count in (3, 2, 1):
        if end >= count and all(seen[end - count : end]) and is_introduction(" ".join(seen[end - count : end])):
            return end - count
    return end


def _without_signature(seen: list[str], cut: int) -> int:
    """The signature: from its dashes to the end, at most 15 lines of it (RFC 3676, 4.3)."""
    for number in range(cut - 1, max(cut - 16, 0), -1):
        if seen[number][:1] not in _SIGNATURE_INITIALS:
            continue
        if _is_signature(seen[number]) or (_is_sent_from(seen[number]) and _ends_there(seen, number, cut)):
            if any(line.startswith(">") for line in seen[number:cut]):
                return cut
            return number
    return cut


def _is_signature(line: str) -> bool:
    return line[:1] in _FIRST and bool(_SIGNATURE.fullmatch(line))


def _is_sent_from(line: str) -> bool:
    return line[:1] in _SIGNATURE_INITIALS and bool(_SENT_FROM.fullmatch(line))


def _ends_there(seen: list[str], number: int, cut: int) -> bool:
    return sum(1 for line in seen[number + 1 : cut] if line) <= 1
