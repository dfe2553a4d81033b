"""Lets ``python -m clamlab`` do what the command ``clamlab`` does."""

import sys

from clamlab.cli import main

sys.exit(main())
