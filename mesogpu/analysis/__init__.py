"""Statistics over stored results, each with its error, and theory beside where it applies; sees no hardware."""

from mesogpu.analysis.certificates import certificates
from mesogpu.analysis.comparison import compare
from mesogpu.analysis.magnetoconductance import fit_film, fit_wire
from mesogpu.analysis.summary import analyze

__all__ = ["analyze", "certificates", "compare", "fit_film", "fit_wire"]
