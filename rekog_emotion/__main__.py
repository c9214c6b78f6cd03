"""``python -m rekog_emotion`` is the command ``rekog-emotion``."""

import sys

from rekog_emotion.cli import main

__all__: list[str] = []

sys.exit(main())
