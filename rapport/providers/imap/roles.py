"""What each folder is for: what the server says, else what its name says in one of many languages, else nothing.

The words were collected from the defaults of common servers and mail programs. A person's own choice, kept
elsewhere, overrules all of this.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from rapport.providers.contract import Role

_ATTRIBUTES = {
    "\\inbox": Role.INBOX,
    "\\sent": Role.SENT,
    "\\drafts": Role.DRAFTS,
    "\\archive": Role.ARCHIVE,
    "\\trash": Role.TRASH,
    "\\junk": Role.SPAM,
    "\\spam": Role.SPAM,
    "\\all": Role.ALL,
    "\\allmail": Role.ALL,
    "\\flagged": Role.FLAGGED,
    "\\starred": Role.FLAGGED,
}

_NAMES = {
    Role.SENT: """
        sent|sent items|sent mail|sent messages|sent-mail|sentmail|outbox sent
        gesendet|gesendete|gesendete objekte|gesendete elemente|gesendete nachrichten|postausgang gesendet
        envoyés|messages envoyés|éléments envoyés|courrier envoyé|objets envoyés
        enviados|elementos enviados|mensajes enviados|correo enviado|itens enviados|mensagens enviadas|enviadas
        enviats|elements enviats|posta inviata|inviati|inviata|elementi inviati|messaggi inviati
        verzonden|verzonden items|verzonden berichten|verzonden objecten
        skickat|skickade|skickade objekt|skickade meddelanden|sendt|sendt post|sendte elementer|sendte e-mails
        lähetetyt|lähetetyt viestit|saadetud|saadetud kirjad|nosūtītie|nosūtītās|išsiųsta|išsiųsti laiškai
        wysłane|elementy wysłane|odeslané|odeslaná pošta|odoslané|odoslaná pošta|elküldött|elküldött elemek
        poslano|poslane stavke|poslato|trimise|elemente trimise|mesaje trimise
        отправленные|отправленная почта|отправлено|надіслані|відправлені|изпратени|изпратена поща
        απεσταλμένα|gönderilmiş|gönderilmiş postalar|gönderilenler|gönderilmiş öğeler|נשלחו|פריטים שנשלחו|דואר יוצא
        المرسلة|العناصر المرسلة|البريد المرسل|ارسال شده|भेजा गया|भेजे गए|ส่งแล้ว|รายการที่ส่ง|đã gửi|thư đã gửi
        terkirim|item terkirim|已发送|已发送邮件|已傳送|已传送|寄件備份|寄件备份|已寄出|已发邮件
        送信済み|送信済みアイテム|送信済みメール|送信控え|보낸 편지함|보낸편지함|보낸메일함|발신함
    """,
    Role.DRAFTS: """
        drafts|draft|entwürfe|entwurf|brouillons|brouillon|borradores|borrador|rascunhos|rascunho|esborranys
        bozze|bozza|concepten|klad|utkast|kladder|luonnokset|mustandid|melnraksti|juodraščiai
        kopie robocze|szkice|wersje robocze|wersje robocze (szkice)|koncepty|rozepsané|rozpísané|piszkozatok
        osnutki|skice|nacrti|ciorne|schițe|черновики|чернетки|чернови|πρόχειρα|taslaklar|taslak|טיוטות
        المسودات|مسودات|پیش‌نویس‌ها|ड्राफ़्ट|ร่างจดหมาย|ฉบับร่าง|thư nháp|bản nháp|draf|konsep
        草稿|草稿箱|草稿匣|草稿夹|下書き|임시보관함|임시 보관함|초안
    """,
    Role.ARCHIVE: """
        archive|archives|archived|archiv|archivo|archivado|archivados|arquivo|arquivados|arxiu|archivio|archief
        arkiv|arkisto|arhiiv|arhīvs|archyvas|archiwum|archív|archívum|arhiv|arhiva|arhivă|архив|архів|архива
        αρχείο|αρχειοθήκη|arşiv|ארכיון|أرشيف|الأرشيف|بایگانی|संग्रह|ที่เก็บถาวร|lưu trữ|arsip
        存档|归档|封存|封存邮件|アーカイブ|보관함|보관
    """,
    Role.TRASH: """
        trash|deleted|deleted items|deleted messages|bin|rubbish|wastebasket|trash can
        papierkorb|gelöscht|gelöschte objekte|gelöschte elemente|gelöschte nachrichten
        corbeille|éléments supprimés|messages supprimés|poubelle
        papelera|elementos eliminados|mensajes eliminados|eliminados|lixo|lixeira|itens excluídos|itens eliminados|paperera
        cestino|posta eliminata|elementi eliminati|eliminata|prullenbak|prullenmand|verwijderde items|verwijderd
        papperskorg|papperskorgen|borttaget|borttagna objekt|papirkurv|slettet post|slettede elementer|søppel
        roskakori|poistetut|poistetut viestit|prügikast|kustutatud|miskaste|dzēstie|šiukšlinė|šiukšliadėžė|ištrinta
        kosz|elementy usunięte|koš|odstraněná pošta|odstraněné|kôš|odstránené|lomtár|kuka|törölt elemek
        koš za smeti|izbrisano|smeće|otpad|coș de gunoi|elemente șterse|gunoi|корзина|удаленные|удалённые
        кошик|видалені|кошче|изтрити|κάδος απορριμμάτων|διαγραμμένα|κάδος|çöp|çöp kutusu|silinmiş öğeler|silinenler
        אשפה|פריטים שנמחקו|سلة المهملات|المهملات|العناصر المحذوفة|زباله‌دان|कचरा|ट्रैश|ถังขยะ|thùng rác|đã xóa|sampah|tong sampah
        已删除|已删除邮件|已刪除的郵件|垃圾桶|废件箱|回收站|ごみ箱|ゴミ箱|削除済みアイテム|휴지통|지운 편지함|지운편지함
    """,
    Role.SPAM: """
        spam|junk|junk mail|junk e-mail|junk-e-mail|junk-email|junk email|bulk|bulk mail|spamverdacht|unerwünscht|werbung
        courrier indésirable|indésirables|pourriel|pourriels|correo no deseado|no deseado|correo basura
        lixo eletrônico|lixo electrónico|correu brossa|posta indesiderata|indesiderata|ongewenst|ongewenste e-mail|ongewenste mail|reclame
        skräppost|skräp|uønsket|uønsket e-post|uønsket post|søppelpost|uønsket mail|roskaposti|rämpspost|rämps
        mēstules|surogātpasts|brukalas|šlamštas|wiadomości-śmieci|wiadomości śmieci|niechciane|nevyžádaná pošta|nevyžiadaná pošta
        levélszemét|neželena pošta|vsiljena pošta|neželjena pošta|nesolicitate|mesaje nedorite|спам|нежелательная почта
        небажана пошта|нежелана поща|ανεπιθύμητα|ανεπιθύμητη αλληλογραφία|önemsiz|önemsiz e-posta|istenmeyen|gereksiz
        דואר זבל|זבל|ספאם|البريد العشوائي|بريد غير هام|البريد غير الهام|هرزنامه|स्पैम|อีเมลขยะ|จดหมายขยะ|thư rác
        垃圾邮件|垃圾郵件|垃圾箱|广告邮件|迷惑メール|迷惑|스팸|스팸메일함|스팸 메일함|정크 메일|정크메일
    """,
}
_BY_NAME: dict[str, Role] = {}

# The name alone never makes a folder \All or \Flagged: those are views of the server, and only it knows.


def _fold(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


for _role, _words in _NAMES.items():
    for _word in _words.replace("\n", "|").split("|"):
        if _word.strip():
            _BY_NAME.setdefault(_fold(_word), _role)


@dataclass(frozen=True)
class Candidate:
    """A folder as far as its role depends on it."""

    name: str
    delimiter: str
    attributes: frozenset[str]
    """In lower case."""


def resolve(candidates: Iterable[Candidate]) -> list[Role]:
    """The role of each folder, each role given once: an attribute beats a name, a folder higher up beats a deeper one,
    and the first listed beats the rest. Folders under Trash or Spam get none by name.
    """
    folders = list(candidates)
    roles = [Role.NONE] * len(folders)
    claims = sorted((_claim(folder, position) for position, folder in enumerate(folders)), key=lambda claim: claim[:3])
    taken: set[Role] = set()
    for _, _, position, role in claims:
        if role and role not in taken:
            roles[position] = role
            taken.add(role)
    return roles


def _claim(folder: Candidate, position: int) -> tuple[int, int, int, Role]:
    """How strong the claim (smaller wins), how deep, where listed, and to what."""
    path = folder.name.split(folder.delimiter) if folder.delimiter else [folder.name]
    if folder.name.upper() == "INBOX":
        return 0, 0, position, Role.INBOX
    for attribute in sorted(folder.attributes):
        if attribute in _ATTRIBUTES:
            return 1, len(path), position, _ATTRIBUTES[attribute]
    return 2, len(path), position, _by_name(path)


def _by_name(path: list[str]) -> Role:
    above = path[:-1]
    # Some servers keep everything below INBOX, others below [Gmail]; a project's own "Sent" lies elsewhere.
    if len(above) > 1 or (above and _fold(above[0]) not in ("inbox", "[gmail]", "[google mail]", "mail")):
        return Role.NONE
    return _BY_NAME.get(_fold(path[-1]), Role.NONE)
