"""In which regime each point of a sweep is: its lengths side by side, and in words."""

from __future__ import annotations

import math

from mesogpu.analysis.ensemble import Ensemble
from mesogpu.analysis.record import Analysis, Result
from mesogpu.physics.closed_forms import localization_length
from mesogpu.physics.fermi import fermi_wave_number

RULE = (
    "ballistic up to L = l; localized from L = xi; between them diffusive, where <g> is 1 or more for one of the equal "
    "conductances, else at the onset of localization"
)
WORDS = ("ballistic", "diffusive", "at the onset of localization", "localized")


def regimes(ensemble: Ensemble) -> list[Analysis]:
    """One record a point."""
    return [_of_point(ensemble, point) for point in range(len(ensemble.parameters))]


def _of_point(ensemble: Ensemble, point: int) -> Analysis:
    kind, title, where = "regime", "Regime", {"parameters": ensemble.parameters[point]}
    strip, one_l = ensemble.strips[point], ensemble.one_l[point]
    samples = ensemble.entries[point][0]["realizations"]
    results = [_of_the_clean_lattice("channels", "N", "", float(strip.channels), "propagating modes of a lead")]
    wave_number = fermi_wave_number(strip.system.lattice, strip.system.energy / strip.system.hopping)
    if wave_number is not None:
        how = "of the circle (sphere) that holds as many states, from the nearer band edge"
        results.append(_of_the_clean_lattice("fermi_wavelength", "lambda_F", "sites", 2.0 * math.pi / wave_number, how))
    golden = None if strip.obstacle else strip.golden_rule
    free = one_l.value if one_l else golden
    if free is None or not math.isfinite(free):
        reason = ensemble.why_not[point] or "the golden rule gives no mean free path"
        return Analysis(kind, title, where, results, missing=f"the mean free path, and so the regime: {reason}")
    error, model = (one_l.error, "the one-l curve") if one_l else (math.nan, "the golden rule, for want of a fit")
    results.append(Result("mean_free_path", "l", "slices", free, error, samples, True, f"from {model}"))
    if wave_number is not None:
        product = Result(
            "disorder_parameter", "k_F l", "", wave_number * free, wave_number * error, samples, True, model
        )
        results.append(product)
    ratio = localization_length(1.0, channels=strip.modes, beta=strip.symmetry.beta)
    how = f"(beta N + 2 - beta) l, l from {model}; a film or a bar wider than l need not follow it"
    results.append(Result("localization_length", "xi", "slices", ratio * free, ratio * error, samples, True, how))
    return Analysis(kind, title, where, results, words=_words(ensemble, point, free, ratio * free))


def _of_the_clean_lattice(name: str, label: str, unit: str, value: float, how: str) -> Result:
    return Result(name, label, unit, value, math.nan, 0, True, how)


def _words(ensemble: Ensemble, point: int, free: float, xi: float) -> str:
    """ "ballistic at L = 30, diffusive at L = 60 to 240", by `RULE`."""
    places: dict[str, list[int]] = {}
    for entry in ensemble.entries[point]:
        length, conductance = entry["length"], entry["conductance_mean"]["value"]
        if length <= free:
            word = WORDS[0]
        elif length >= xi:
            word = WORDS[3]
        else:
            word = WORDS[1] if ensemble.strips[point].one(conductance) >= 1.0 else WORDS[2]
        places.setdefault(word, []).append(length)
    return ", ".join(
        f"{word} at L = {min(lengths)}" + (f" to {max(lengths)}" if len(lengths) > 1 else "")
        for word, lengths in places.items()
    )
