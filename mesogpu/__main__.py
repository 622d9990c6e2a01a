"""`python -m mesogpu`: the same as `mesogpu`."""

from __future__ import annotations

import sys

from mesogpu.cli import entry_point

if __name__ == "__main__":
    sys.exit(entry_point())
