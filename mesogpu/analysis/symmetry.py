"""The symmetry class of a sweep point, from its Hamiltonian alone, and what keeps theory from covering it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from mesogpu.physics.disorder import Binary, Cauchy, Gaussian, Law, Vacancy
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System


@dataclass(frozen=True, slots=True)
class SymmetryClass:
    """What the closed forms need to know of a model.

    beta         : Dyson index, 1, 2 or 4
    multiplicity : equal conductances whose sum is g: 2 where g is the spin trace over Kramers pairs, or over two spins
                   that nothing tells apart; the closed forms are for one of them, with its share of the channels
    """

    beta: int
    multiplicity: int


def symmetry_class_of(system: System) -> SymmetryClass:
    """The class of a long sample, of a system without an `obstacle`.

    SU(2) bonds keep time reversal and mix the spins: beta = 4, conductances in equal pairs. Classical spins break time
    reversal and mix the spins: beta = 2 over all channels. Otherwise both spins, if the model has them, conduct alike.
    """
    if not is_idle(system.spin_orbit):
        return SymmetryClass(4, 2)
    if any(law.on == "spins" and not is_silent(law) for law in system.laws):
        return SymmetryClass(2, 1)
    return SymmetryClass(1 if system.flux == 0.0 else 2, system.spins)


def obstacle(system: System) -> str:
    """What about a system no theory of diffusive wires here covers, in words; empty where there is nothing.

    Covered are strips of the square lattice between leads like themselves, with weak uncorrelated disorder of mean
    zero on the sites, in a field or not; the same with classical spins; or with SU(2) bonds and no field.
    """
    lattice, coupling = system.lattice, system.spin_orbit
    if lattice.kind != "square" or lattice.width < 2:
        return f"lattice {lattice.kind}, width {lattice.width}; it is known for square strips of two sites or more"
    if system.lead_potential != 0.0 or (system.flux != 0.0 and not system.lead_flux):
        return "leads that do not continue the strip"
    if math.pi * lattice.width * abs(system.flux) > 1.0:
        # Trajectories must stay straight over the width, or edge states form.
        return "a field that bends trajectories within the width"
    if system.zeeman is not None and any(system.zeeman):
        return "a Zeeman field"
    impurities = any(law.on == "spins" and not is_silent(law) for law in system.laws)
    if coupling is not None and not is_idle(coupling):
        if coupling.kind != "su2":
            return f"{coupling.kind} spin-orbit coupling, which leaves a crossover between two classes"
        if system.flux != 0.0 or impurities:
            return "spin-orbit coupling with time reversal broken besides"
    return _obstacle_among(tuple(law for law in system.laws if not is_silent(law)))


def _obstacle_among(laws: tuple[Law, ...]) -> str:
    if not laws:
        return "a strip without disorder"
    for law in laws:
        if law.on not in ("sites", "spins"):
            return f"disorder on {law.on}"
        if isinstance(law, Vacancy):
            return "vacancies"
        if isinstance(law, Gaussian) and law.correlation_length > 0.0:
            return "correlated disorder"
    if abs(sum(_mean(law) for law in laws)) > 1e-12 * max(law.typical_magnitude for law in laws):
        return "onsite energies whose mean is not zero: the leads do not continue the strip"
    return ""


def is_clean_stretch_of_its_leads(system: System) -> bool:
    """Whether the sample is one more piece of its leads, on any lattice, so that g = N exactly."""
    coupled = is_idle(system.spin_orbit) or (
        system.spin_orbit is not None and not system.spin_orbit.random and system.lead_spin_orbit
    )
    plain = system.lead_potential == 0.0 and (system.zeeman is None or not any(system.zeeman))
    return plain and coupled and (system.flux == 0.0 or system.lead_flux) and all(map(is_silent, system.laws))


def is_silent(law: Law) -> bool:
    """Whether a law, for its parameters, changes nothing."""
    if isinstance(law, Cauchy):
        return law.half_width == 0.0
    return law.variance == 0.0 and _mean(law) == 0.0


def is_idle(coupling: SpinOrbit | None) -> bool:
    """Whether a spin-orbit coupling, for its strength, leaves the bonds as they are."""
    return coupling is None or (coupling.kind != "su2" and coupling.strength == 0.0)


def magnetic_dephasing_length(mean_free_path: float, magnetic_mean_free_path: float) -> float:
    """Length over which classical spins in a diffusive strip destroy what time reversal and spin rotation keep.

    L_m = sqrt(3 l l_m) / pi: the triplet Cooperon, the last to go, decays at 2/(3 tau_m), and D = v l / pi,
    l_m = (pi/2) v tau_m for isotropic scattering in two dimensions

    mean_free_path          : l of all disorder, slices, in the convention <g> = N/(1 + L/l)
    magnetic_mean_free_path : l_m of the classical spins alone
    returns                 : slices
    source                  : Hikami, Larkin & Nagaoka, Prog. Theor. Phys. 63, 707 (1980)
    """
    return math.sqrt(3.0 * mean_free_path * magnetic_mean_free_path) / math.pi


def _mean(law: Law) -> float:
    if isinstance(law, Binary):
        return law.values[0] + law.fraction * (law.values[1] - law.values[0])
    return 0.0
