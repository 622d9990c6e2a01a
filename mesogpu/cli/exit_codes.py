"""What the exit status of a command means."""

from __future__ import annotations

INCOMPLETE = 1
"""Work is left."""

DIFFERENT = 1
"""Two files do not agree."""

USAGE = 2
"""A bad command line or configuration."""

DAMAGED = 3
"""Damaged data."""

TOO_MANY_FAILED = 4
"""Too many failed samples, or blocks that were left out."""

BUG = 70
"""A fault of ours."""

REQUEUE = 75
"""A batch job that is to be queued again."""
