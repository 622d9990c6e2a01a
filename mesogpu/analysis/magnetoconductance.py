"""Fits of weak localization in a field: phase-coherence and spin-orbit lengths from differences with a covariance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mesogpu.analysis.fits import Fit, fit_correlated
from mesogpu.physics.weak_localization import hikami_larkin_nagaoka, wire_correction


@dataclass(frozen=True, slots=True)
class LengthFit:
    """Lengths fitted on a logarithmic scale, on which they are nearer to normal and cannot change sign.

    lengths : (P,) sites
    errors  : (P,) one standard error each, of first order
    fit     : of the logarithms
    """

    lengths: NDArray[np.float64]
    errors: NDArray[np.float64]
    fit: Fit


def fit_wire(
    fluxes: ArrayLike,
    differences: ArrayLike,
    covariance: ArrayLike,
    *,
    samples: int,
    length: float,
    width: float,
    start: float,
) -> LengthFit:
    """L_phi of a diffusive wire from g(flux) - g(0), by `wire_correction`.

    fluxes      : (K,) flux quanta per plaquette, none of them 0
    differences : (K,) e^2/h per spin
    covariance  : (K, K) estimated from `samples` realizations
    length      : L, slices; width in sites
    start       : L_phi to begin with, slices
    raises      : PhysicsError as `fit_correlated`
    """
    field = np.asarray(fluxes, dtype=np.float64)

    def model(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        coherence = float(np.exp(parameters[0]))
        curve = wire_correction(length, np.append(field, 0.0), width=width, dephasing_length=coherence)
        return np.asarray(curve[:-1] - curve[-1])

    return _lengths(fit_correlated(model, differences, covariance, start=[math.log(start)], samples=samples))


def fit_film(
    fluxes: ArrayLike,
    differences: ArrayLike,
    covariance: ArrayLike,
    *,
    samples: int,
    elastic_length: float,
    magnetic_length: float = math.inf,
    start: tuple[float, ...],
) -> LengthFit:
    """L_phi, and with a second value to start from L_so, of a film from sigma(flux) - sigma(0).

    The law is that of Hikami, Larkin and Nagaoka, `hikami_larkin_nagaoka`; its three fields B_1, B_2, B_3 leave L_phi
    and the length of magnetic scattering apart by a small difference alone, so the latter must be known.

    fluxes         : (K,) flux quanta per plaquette, none of them 0
    differences    : (K,) e^2/h, the sum over both spins
    covariance     : (K, K) estimated from `samples` realizations
    elastic_length : sites; magnetic_length likewise
    start          : (L_phi,) without spin-orbit coupling, or (L_phi, L_so), sites
    raises         : PhysicsError as `fit_correlated`
    """
    field = np.asarray(fluxes, dtype=np.float64)

    def model(parameters: NDArray[np.float64]) -> NDArray[np.float64]:
        dephasing, spin_orbit = (*np.exp(parameters).tolist(), math.inf)[:2]
        return hikami_larkin_nagaoka(
            field,
            elastic_length=elastic_length,
            dephasing_length=dephasing,
            spin_orbit_length=spin_orbit,
            magnetic_length=magnetic_length,
        )

    return _lengths(fit_correlated(model, differences, covariance, start=np.log(start), samples=samples))


def _lengths(fit: Fit) -> LengthFit:
    lengths = np.exp(fit.parameters)
    return LengthFit(lengths, lengths * np.sqrt(np.diag(fit.covariance)), fit)
