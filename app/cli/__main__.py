"""``python -m app.cli``: the same as ``bingsan``."""

import sys

from app.cli.main import main

sys.exit(main())
