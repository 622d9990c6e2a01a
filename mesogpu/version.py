"""The version's one home."""

__version__ = "0.1.0"
