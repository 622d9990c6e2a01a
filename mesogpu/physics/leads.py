"""Clean leads: their modes, self-energies and couplings to the sample.

A lead repeats one slice: E psi_x = h psi_x + V psi_{x-1} + V^dagger psi_{x+1} with V = <x+1|H|x>. Its modes
psi_x = u lambda^x propagate where |lambda| = 1 and decay otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from mesogpu.errors import PhysicsError
from mesogpu.physics.lattices import inter_slice_hopping, intra_slice_hamiltonian

THRESHOLD = 1e-9
"""Distance |E - band edge| below which a mode counts as at its threshold, units of t."""

SAFE_DISTANCE = 1e-6
"""Distance from a band edge of the energy that the error message offers, units of t."""

_UNIT_CIRCLE = 1e-7
_DEGENERATE = 1e-6
_RESIDUAL = 1e-9


@dataclass(frozen=True, slots=True)
class Lead:
    """What a lead does to the slice it touches.

    self_energy : (M, M) complex128, retarded, units of t
    coupling    : (M, N) complex128; coupling @ coupling^dagger = i (Sigma - Sigma^dagger), one column a channel
    """

    self_energy: NDArray[np.complex128]
    coupling: NDArray[np.complex128]

    @property
    def channels(self) -> int:
        """N, the number of propagating modes."""
        return int(self.coupling.shape[1])


@dataclass(frozen=True, slots=True)
class Waves:
    """All waves that leave one way, on two neighbouring slices: those that propagate first, then those that decay.

    here  : (M, M) complex128, psi_x; propagating waves carry unit current
    ahead : (M, M) complex128, psi_{x+1}; decaying ones are any basis of their space, of unit norm on both slices
    """

    here: NDArray[np.complex128]
    ahead: NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class LeadModes:
    """All modes of a lead.

    right       : propagate to the right or decay there
    left        : propagate to the left or decay there
    channels    : N, how many of either propagate
    inter_slice : (M,) complex128, diagonal of V = <x+1|H|x>, units of t
    """

    right: Waves
    left: Waves
    channels: int
    inter_slice: NDArray[np.complex128]


@lru_cache(maxsize=256)
def lead_modes(
    *, width: int, periodic: bool, hopping: float, flux: float, potential: float, energy: float
) -> LeadModes:
    """Modes of a clean lead.

    width     : M sites
    flux      : flux quanta h/e per plaquette inside the lead
    potential : onsite energy of the lead, units of t
    energy    : E, units of t
    raises    : PhysicsError where E is within 1e-9 t of the band edge of a mode
    source    : Ando, PRB 44, 8017 (1991)
    """
    hamiltonian = intra_slice_hamiltonian(width, hopping=hopping, periodic=periodic) + potential * np.eye(width)
    inter_slice = inter_slice_hopping(width, hopping=hopping, flux=flux).astype(np.complex128)
    if flux == 0.0:
        return _plain_modes(hamiltonian, inter_slice, hopping, energy)
    return _field_modes(hamiltonian, inter_slice, hopping, energy)


def attach_leads(modes: LeadModes) -> tuple[Lead, Lead]:
    """What lead 0 (x < 0) and lead 1 (x >= L) with these modes do to the sample.

    source : Datta, Electronic Transport in Mesoscopic Systems (1995), ch. 3
    """
    # Outgoing waves leave to the right as psi_{x+1} = F psi_x and to the left as psi_{x-1} = F' psi_x.
    to_right = np.linalg.solve(modes.right.here.T, modes.right.ahead.T).T
    to_left = np.linalg.solve(modes.left.ahead.T, modes.left.here.T).T
    lead_0 = _lead_from_self_energy(modes.inter_slice[:, None] * to_left, modes.channels)
    lead_1 = _lead_from_self_energy(np.conj(modes.inter_slice)[:, None] * to_right, modes.channels)
    return lead_0, lead_1


def _check_waves(modes: LeadModes, inside: NDArray[np.float64], energy: float) -> None:
    """Each space of waves must be stepped into itself: (E - h) psi_x - V psi_{x-1} = V^dagger psi_{x+1}."""
    for basis, neighbour, back in (
        (modes.right.here, modes.right.ahead, False),
        (modes.left.ahead, modes.left.here, True),
    ):
        step = np.linalg.solve(basis.T, neighbour.T).T
        outward = modes.inter_slice if back else np.conj(modes.inter_slice)
        inward = np.conj(outward)
        # F = (E - h - V^dagger F)^-1 V for the right, with V^dagger in V's place for the left.
        residual = np.abs((inside - outward[:, None] * step) @ step - np.diag(inward)).max() / np.abs(outward).max()
        if not residual < _RESIDUAL:
            raise PhysicsError(
                f"energy: {energy!r}: the lead modes in this field cannot be resolved (residual {residual:.1e}, bound "
                f"{_RESIDUAL:.0e}); change the energy or the flux slightly"
            )


def _plain_modes(
    hamiltonian: NDArray[np.float64], inter_slice: NDArray[np.complex128], hopping: float, energy: float
) -> LeadModes:
    """Without a field the transverse modes separate: E - eps_m = -t (lambda_m + 1/lambda_m)."""
    transverse, modes = np.linalg.eigh(hamiltonian)
    edges = np.concatenate([transverse - 2.0 * hopping, transverse + 2.0 * hopping])
    nearest = int(np.argmin(np.abs(edges - energy)))
    if abs(edges[nearest] - energy) < THRESHOLD * hopping:
        raise _threshold_error(energy, f"mode {nearest % len(transverse) + 1} of {len(transverse)}", hopping)
    cosine = (transverse - energy) / (2.0 * hopping)
    order = np.argsort(np.abs(cosine) >= 1.0, kind="stable")
    cosine, modes = cosine[order], modes[:, order]
    sine = np.sqrt(np.abs(1.0 - cosine**2))
    propagating = np.abs(cosine) < 1.0
    factors = np.where(propagating, cosine + 1j * sine, cosine - np.sign(cosine) * sine).astype(np.complex128)
    scaled = (modes / np.where(propagating, np.sqrt(2.0 * hopping * sine), 1.0)).astype(np.complex128)
    channels = int(propagating.sum())
    return LeadModes(Waves(scaled, scaled * factors), Waves(scaled * factors, scaled), channels, inter_slice)


def _field_modes(
    hamiltonian: NDArray[np.float64], inter_slice: NDArray[np.complex128], hopping: float, energy: float
) -> LeadModes:
    """With a field: invariant subspaces of the 2M x 2M transfer matrix of [psi_{x+1}; psi_x].

    Decaying modes lean on each other, the more the wider the lead, until no eigenvectors tell them apart; only the
    space that they span matters, and a Schur decomposition has an orthonormal basis of it.
    """
    width = len(hamiltonian)
    identity = np.eye(width)
    inverse_adjoint = 1.0 / np.conj(inter_slice)
    transfer = np.block(
        [
            [inverse_adjoint[:, None] * (energy * identity - hamiltonian), -np.diag(inverse_adjoint * inter_slice)],
            [identity, np.zeros((width, width))],
        ]
    )
    factors, vectors = np.linalg.eig(transfer)
    distance = np.abs(factors) - 1.0
    propagating = np.abs(distance) < _UNIT_CIRCLE
    if np.any(np.abs(distance[~propagating]) < np.sqrt(THRESHOLD)):
        raise _threshold_error(energy, "a mode about to open", hopping)
    modes = vectors[width:, propagating] / np.linalg.norm(vectors[width:, propagating], axis=0)
    right, left = _split_by_current(modes, factors[propagating], inter_slice, energy, hopping)
    channels = right.here.shape[1]
    right = _joined(right, _invariant_subspace(transfer, lambda factor: abs(factor) < 1.0 - _UNIT_CIRCLE))
    left = _joined(left, _invariant_subspace(transfer, lambda factor: abs(factor) > 1.0 + _UNIT_CIRCLE))
    if right.here.shape[1] != width or left.here.shape[1] != width:
        raise _threshold_error(energy, "modes that cannot be told apart", hopping)
    found = LeadModes(right, left, channels, inter_slice)
    _check_waves(found, energy * identity - hamiltonian, energy)
    return found


def _invariant_subspace(transfer: NDArray[np.complex128], chosen: Callable[[complex], bool]) -> NDArray[np.complex128]:
    """Orthonormal basis (2M, n) of the space that belongs to the chosen eigenvalues."""
    # SciPy's stubs know the real form's two-argument callable alone.
    _, vectors, count = scipy.linalg.schur(transfer, output="complex", sort=chosen)  # type: ignore[call-overload]
    return np.asarray(vectors[:, :count], dtype=np.complex128)


def _joined(waves: Waves, decaying: NDArray[np.complex128]) -> Waves:
    width = len(waves.here)
    return Waves(np.hstack([waves.here, decaying[width:]]), np.hstack([waves.ahead, decaying[:width]]))


def _split_by_current(
    modes: NDArray[np.complex128],
    factors: NDArray[np.complex128],
    inter_slice: NDArray[np.complex128],
    energy: float,
    hopping: float,
) -> tuple[Waves, Waves]:
    """Right- and left-moving propagating modes: eigenvectors of the current within each group of equal lambda."""
    right: list[NDArray[np.complex128]] = []
    left: list[NDArray[np.complex128]] = []
    right_factors: list[complex] = []
    left_factors: list[complex] = []
    remaining = list(range(len(factors)))
    while remaining:
        first = remaining[0]
        group = [k for k in remaining if abs(factors[k] - factors[first]) < _DEGENERATE]
        remaining = [k for k in remaining if k not in group]
        # Current from x to x+1 is 2 Im(psi_{x+1}^dagger V psi_x), positive for a mode that moves to the right.
        amplitude = (modes[:, group] * factors[group]).conj().T @ (inter_slice[:, None] * modes[:, group])
        velocities, rotation = np.linalg.eigh(-1j * (amplitude - amplitude.conj().T))
        if np.min(np.abs(velocities)) < 2.0 * np.sqrt(THRESHOLD) * hopping:
            raise _threshold_error(energy, "a mode about to close", hopping)
        rotated = modes[:, group] @ rotation / np.sqrt(np.abs(velocities))
        for column, velocity in enumerate(velocities):
            (right if velocity > 0 else left).append(rotated[:, column])
            (right_factors if velocity > 0 else left_factors).append(factors[first])
    return _waves(right, right_factors, len(modes)), _waves(left, left_factors, len(modes))


def _waves(columns: list[NDArray[np.complex128]], factors: list[complex], width: int) -> Waves:
    modes = np.array(columns, dtype=np.complex128).reshape(-1, width).T
    return Waves(modes, modes * np.array(factors, dtype=np.complex128))


def _lead_from_self_energy(self_energy: NDArray[np.complex128], channels: int) -> Lead:
    """The broadening i (Sigma - Sigma^dagger) has rank N; its scaled eigenvectors are the coupling."""
    broadening = 1j * (self_energy - self_energy.conj().T)
    strengths, vectors = np.linalg.eigh(broadening)
    open_channels = slice(len(strengths) - channels, len(strengths))
    coupling = vectors[:, open_channels] * np.sqrt(strengths[open_channels])
    return Lead(self_energy=self_energy, coupling=coupling)


def _threshold_error(energy: float, mode: str, hopping: float) -> PhysicsError:
    safe = float(energy + SAFE_DISTANCE * hopping)
    return PhysicsError(
        f"energy: {float(energy)!r}: at the band edge of a lead mode ({mode}; within {THRESHOLD:.0e} t), "
        f"where the transmission is singular; use {safe!r} instead"
    )
