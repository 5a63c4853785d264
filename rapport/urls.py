"""Every address, on one screen."""

from django.urls import URLPattern, URLResolver, path

from rapport.web import accounts, assets, connecting, inbox, live, records, signing, threads, welcome

urlpatterns: list[URLPattern | URLResolver] = [
    path("", inbox.home, name="home"),
    # signing in
    path("sign-in", signing.sign_in, name="sign-in"),
    path("sign-out", signing.sign_out, name="sign-out"),
    path("welcome/<str:token>", welcome.administrator, name="welcome"),
    path("welcome/mailbox/", welcome.mailbox, name="welcome-mailbox"),
    path("welcome/mailbox/<uuid:account>", welcome.syncing, name="welcome-syncing"),
    # reading
    path("inbox/", inbox.every, name="inbox"),
    path("inbox/<uuid:folder>/", inbox.folder, name="folder"),
    path("inbox/thread/<uuid:thread>", threads.show, name="thread"),
    path("inbox/<uuid:folder>/<uuid:thread>", threads.show, name="thread-in"),
    path("inbox/row/<uuid:thread>", inbox.row, name="row"),
    path("inbox/<uuid:folder>/row/<uuid:thread>", inbox.row, name="row-in"),
    path("sidebar", inbox.sidebar, name="sidebar"),
    path("messages/<uuid:message>", threads.message, name="message"),
    path("messages/<uuid:message>/body", threads.body, name="message-body"),
    path("messages/<uuid:message>/original.eml", threads.original, name="message-original"),
    path("files/<uuid:attachment>", threads.file, name="file"),
    path("files/<uuid:attachment>/picture", threads.picture, name="picture"),
    path("live", live.stream, name="live"),
    # mailboxes
    path("accounts/<uuid:account>", accounts.show, name="account"),
    # connecting a mailbox
    path("connect/<str:kind>", connecting.start, name="connect"),
    path("connect/<str:kind>/sign-in", connecting.servers, name="connect-servers"),
    path("connect/<str:kind>/what/<uuid:tested>", connecting.what, name="connect-what"),
    # records
    path("contacts/", records.contacts, name="contacts"),
    path("contacts/new", records.new_contact, name="new-contact"),
    path("contacts/<uuid:contact>", records.contact, name="contact"),
    path("contacts/<uuid:contact>/edit", records.edit_contact, name="edit-contact"),
    path("contacts/<uuid:contact>/share", records.share_contact, name="share-contact"),
    path("companies/", records.companies, name="companies"),
    path("companies/new", records.new_company, name="new-company"),
    path("companies/<uuid:company>", records.company, name="company"),
    path("companies/<uuid:company>/edit", records.edit_company, name="edit-company"),
    # what every page needs
    path("assets/<str:digest>/<str:name>", assets.show, name="asset"),
]

handler404 = "rapport.web.errors.not_found"
handler500 = "rapport.web.errors.failed"
