"""The demo is a made-up firm, Alder & Finch, with its mail and a mail server to keep it on."""
