"""Mail domains that belong to everybody, and so never to one company (D4)."""

_DOMAINS = frozenset(
    """
    126.com 139.com 163.com 21cn.com aim.com aliyun.com aol.com aol.co.uk aol.de aol.fr arcor.de att.net
    bellsouth.net bigpond.com bigpond.net.au blueyonder.co.uk bluewin.ch bol.com.br btinternet.com bluemail.ch
    centrum.cz charter.net comcast.net cox.net daum.net disroot.org duck.com earthlink.net email.com email.cz
    email.de fastmail.com fastmail.fm foxmail.com free.fr freemail.hu freenet.de gmail.com googlemail.com gmx.at
    gmx.ch gmx.com gmx.de gmx.es gmx.eu gmx.fr gmx.info gmx.li gmx.net gmx.org gmx.us hanmail.net hey.com hotmail.be
    hotmail.ca hotmail.ch hotmail.co.jp hotmail.co.uk hotmail.com hotmail.com.ar hotmail.com.br hotmail.com.mx
    hotmail.de hotmail.es hotmail.fr hotmail.it hotmail.nl hushmail.com icloud.com ig.com.br inbox.com inbox.lv
    inbox.ru interia.pl kabelmail.de kakao.com kpnmail.nl laposte.net libero.it list.ru live.at live.be live.ca
    live.co.uk live.com live.com.au live.com.mx live.com.pt live.de live.dk live.fr live.ie live.it live.nl live.no
    live.se lycos.com mac.com magenta.de mail.bg mail.com mail.de mail.ee mail.ru mailbox.org mailfence.com me.com
    msn.com mweb.co.za naver.com netcologne.de netscape.net neuf.fr ntlworld.com numericable.fr o2.pl o2online.de
    online.de online.no onet.pl optonline.net optusnet.com.au orange.fr outlook.at outlook.be outlook.co.th outlook.com
    outlook.com.ar outlook.com.au outlook.com.br outlook.cz outlook.de outlook.dk outlook.es outlook.fr outlook.ie
    outlook.in outlook.it outlook.jp outlook.kr outlook.lv outlook.pt outlook.sa outlook.sk planet.nl pm.me
    poczta.onet.pl posteo.de posteo.net post.cz proton.me protonmail.ch protonmail.com qq.com rambler.ru rediffmail.com
    riseup.net rocketmail.com rogers.com runbox.com sapo.pt sbcglobal.net seznam.cz sfr.fr shaw.ca sina.com sina.cn
    skynet.be sky.com sohu.com startmail.com sympatico.ca t-online.de talktalk.net telenet.be telia.com telus.net
    terra.com.br tin.it tiscali.co.uk tiscali.it tuta.com tuta.io tutanota.com tutanota.de uol.com.br upcmail.nl
    verizon.net versatel.nl videotron.ca virgilio.it virgin.net virginmedia.com volny.cz walla.co.il walla.com
    wanadoo.es wanadoo.fr web.de windowslive.com wp.pl xs4all.nl xtra.co.nz ya.ru yahoo.ca yahoo.cn yahoo.co.id
    yahoo.co.in yahoo.co.jp yahoo.co.kr yahoo.co.nz yahoo.co.uk yahoo.co.za yahoo.com yahoo.com.ar yahoo.com.au
    yahoo.com.br yahoo.com.cn yahoo.com.hk yahoo.com.mx yahoo.com.ph yahoo.com.sg yahoo.com.tr yahoo.com.tw
    yahoo.com.vn yahoo.de yahoo.dk yahoo.es yahoo.fr yahoo.gr yahoo.ie yahoo.in yahoo.it yahoo.nl yahoo.no yahoo.pl
    yahoo.pt yahoo.ro yahoo.se yandex.by yandex.com yandex.kz yandex.ru yandex.ua yeah.net ymail.com ziggo.nl zoho.com
    zohomail.com zoho.eu zonnet.nl bk.ru ukr.net i.ua abv.bg citromail.hu azet.sk atlas.cz alice.it aruba.it
    bluemail.de hispeed.ch sunrise.ch chello.at chello.nl aon.at swissonline.ch vodafone.de vodafone.it
    """.split()
)


def is_freemail(domain: str) -> bool:
    """Whether anybody can have an address there."""
    return domain.lower() in _DOMAINS
