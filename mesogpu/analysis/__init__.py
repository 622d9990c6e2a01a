"""Statistics over stored results, each with its error, and theory beside where it applies; sees no hardware."""

from mesogpu.analysis.certificates import certificates
from mesogpu.analysis.comparison import compare
from mesogpu.analysis.summary import analyze

__all__ = ["analyze", "certificates", "compare"]
