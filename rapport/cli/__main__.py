"""``python -m rapport.cli``: what ``bin/rapport`` runs."""

import sys

from rapport.cli.main import main

sys.exit(main())
