"""Weak localization in a field against arbitrary precision, published limits, and the diffusion equation itself."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest

from mesogpu.physics.weak_localization import hikami_larkin_nagaoka, wire_correction


def cooperon_sum(length, flux, width, dephasing_length):
    """-2 sum over modes of the wire of 1 / (pi^2 n^2 + L^2/L_c^2): the Cooperon before it is summed."""
    rate = dephasing_length**-2 + (2 * math.pi * flux * width) ** 2 / 3
    return float(-mpmath.nsum(lambda n: 2 / (mpmath.pi**2 * n**2 + length**2 * rate), [1, mpmath.inf]))


@pytest.mark.parametrize("flux", [0.0, 1e-5, 3e-4, 0.004])
@pytest.mark.parametrize("dephasing_length", [30.0, 1e4, math.inf])
def test_the_wire_is_the_sum_over_its_modes(flux, dephasing_length):
    # Fault seen to fail it: W^2/(3 l_m^4) taken as W^2/l_m^4.
    ours = wire_correction(80.0, flux, width=30, dephasing_length=dephasing_length)
    assert ours == pytest.approx(cooperon_sum(80.0, flux, 30, dephasing_length), rel=1e-9)


def test_the_wire_without_field_or_dephasing_loses_a_third():
    assert wire_correction(100.0, 0.0, width=10) == pytest.approx(-1 / 3, rel=1e-12)
    # One dephasing length at a time: -L_phi/L of a long wire.
    assert wire_correction(1e5, 0.0, width=10, dephasing_length=10.0) == pytest.approx(-1e-4, rel=1e-3)


def exact_hln(flux, elastic, dephasing, spin_orbit, magnetic):
    with mpmath.workdps(40):
        e, i, so, s = (1 / (8 * mpmath.pi * mpmath.mpf(x) ** 2) for x in (elastic, dephasing, spin_orbit, magnetic))

        def f(b):
            return mpmath.digamma(mpmath.mpf(1) / 2 + b / flux) - mpmath.log(b / flux)

        total = f(e + so + s) - 1.5 * f(i + so * 4 / 3 + s * 2 / 3) + 0.5 * f(i + 2 * s)
        return float(-total / mpmath.pi)


@pytest.mark.parametrize("flux", [1e-7, 1e-5, 1e-3, 0.03])
@pytest.mark.parametrize("lengths", [(5, 200, 1e9, 1e9), (5, 200, 20, 1e9), (5, 200, 30, 60), (3, 50, 1e9, 10)])
def test_every_term_of_hikami_larkin_and_nagaoka_is_there(flux, lengths):
    # Faults seen to fail it: 4/3 and 2/3 exchanged; the singlet without 2 B_s; no series for weak fields.
    elastic, dephasing, spin_orbit, magnetic = lengths
    ours = hikami_larkin_nagaoka(
        flux,
        elastic_length=elastic,
        dephasing_length=dephasing,
        spin_orbit_length=spin_orbit,
        magnetic_length=magnetic,
    )
    assert ours == pytest.approx(exact_hln(flux, *lengths), rel=1e-7, abs=1e-13)


def test_a_field_raises_the_conductivity_and_with_spin_orbit_coupling_lowers_it():
    fluxes = np.array([-1e-4, 0.0, 1e-4])
    plain = hikami_larkin_nagaoka(fluxes, elastic_length=3.0, dephasing_length=300.0)
    coupled = hikami_larkin_nagaoka(fluxes, elastic_length=3.0, dephasing_length=300.0, spin_orbit_length=4.0)
    assert plain[0] == plain[2] > 0.3
    assert coupled[0] == coupled[2] < -0.1
    assert plain[1] == coupled[1] == 0.0
    # Without spin-orbit and magnetic scattering: (1/pi) f(B_i/B), both spins; with the former strong, minus half of it.
    strong = hikami_larkin_nagaoka(1e-4, elastic_length=1e-3, dephasing_length=300.0, spin_orbit_length=1e-3)
    weak = hikami_larkin_nagaoka(1e-4, elastic_length=1e-3, dephasing_length=300.0)
    assert strong / weak == pytest.approx(-0.5, abs=1e-6)
