"""Per-sample variables, from what every engine has at a recorded length: two traces and their power of two."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.plan.blocks import Block, Status

Arrays = dict[str, NDArray[Any]]


def closed_samples(block: Block, channels: int) -> Arrays:
    """Every variable of a block whose samples transmit nothing: g = 0, ln g = -inf; engines fill in the rest.

    returns : conductance, log_conductance, conditioning, and shot_noise where asked, (length, count) float64;
              transmission_eigenvalues where asked, (length, count, channels) float64
    """
    shape = (len(block.point.lengths), block.count)
    arrays: Arrays = {
        "conductance": np.zeros(shape),
        "log_conductance": np.full(shape, -np.inf),
        "conditioning": np.ones(shape),
    }
    if block.point.shot_noise:
        arrays["shot_noise"] = np.zeros(shape)
    if block.point.eigenvalues:
        arrays["transmission_eigenvalues"] = np.zeros((*shape, channels))
    return arrays


def close_where(arrays: Arrays, closed: NDArray[np.bool_], status: Status) -> None:
    """Make samples such that transmit nothing, with the reason for it.

    arrays : of a block, with their status; changed in place
    closed : (length, count) bool
    """
    for name in arrays.keys() - {"conditioning"}:
        arrays[name][closed] = 0
    arrays["log_conductance"][closed] = -np.inf
    arrays["status"][closed] = status


def observables(trace: NDArray[np.float64], square_trace: NDArray[np.float64], exponent: NDArray[np.int64]) -> Arrays:
    """Landauer's g, ln g and noise of amplitudes t = 2^exponent s.

    g = Tr t t^dagger, noise = sum_n T_n (1 - T_n) = g - Tr (t t^dagger)^2

    trace        : (...) float64, Tr s s^dagger
    square_trace : (...) float64, Tr (s s^dagger)^2
    exponent     : (...) int64
    returns      : conductance, log_conductance, shot_noise, (...) float64
    source       : Buettiker, PRL 65, 2901 (1990)
    """
    powers = exponent.astype(np.int32)
    conductance = np.ldexp(trace, 2 * powers)
    with np.errstate(divide="ignore"):
        log_conductance = np.log(trace) + 2.0 * exponent * np.log(2.0)
    return {
        "conductance": conductance,
        "log_conductance": log_conductance,
        "shot_noise": conductance - np.ldexp(square_trace, 4 * powers),
    }


def transmission_eigenvalues(eigenvalues: NDArray[np.float64], exponent: NDArray[np.int64]) -> NDArray[np.float64]:
    """T_n of each sample from the eigenvalues of s s^dagger, where t = 2^exponent s.

    eigenvalues : (..., N) float64, descending
    exponent    : (...) int64
    returns     : (..., N) float64; rounding below 0 and above 1 is cut off
    """
    scaled: NDArray[np.float64] = np.ldexp(eigenvalues, 2 * exponent.astype(np.int32)[..., None])
    return np.clip(scaled, 0.0, 1.0)
