"""``python -m rapport.cli``: what ``bin/rapport`` runs."""

import sys

from rapport.cli import processes

if sys.argv[1:2] == ["demo"] and "--help" not in sys.argv:
    # Before the settings are read, which would make the user's own home.
    processes.enter_the_demo(sys.argv[2:])

from rapport.cli.main import main  # reads the settings

sys.exit(main())
