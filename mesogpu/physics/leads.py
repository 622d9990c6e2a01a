"""Clean leads: their modes, self-energies and couplings to the sample.

A lead repeats one slice: E psi_x = h psi_x + V psi_{x-1} + V^dagger psi_{x+1} with V = <x+1|H|x>. Its modes
psi_x = u lambda^x propagate where |lambda| = 1 and decay otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mesogpu.errors import PhysicsError
from mesogpu.physics.lattices import inter_slice_hopping, intra_slice_hamiltonian

THRESHOLD = 1e-9
"""Distance |E - band edge| below which a mode counts as at its threshold, units of t."""

SAFE_DISTANCE = 1e-6
"""Distance from a band edge of the energy that the error message offers, units of t."""

_UNIT_CIRCLE = 1e-7
_DEGENERATE = 1e-6
_RESIDUAL = 1e-8


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
    """The modes that leave one way: those that propagate first, then those that decay.

    modes   : (M, M) complex128, one column a mode; propagating ones carry unit current, the others have unit norm
    factors : (M,) complex128, lambda: psi_{x+1} = lambda psi_x
    """

    modes: NDArray[np.complex128]
    factors: NDArray[np.complex128]


@dataclass(frozen=True, slots=True)
class LeadModes:
    """All modes of a lead.

    right       : propagate to the right or decay there, |lambda| <= 1
    left        : propagate to the left or decay there, |lambda| >= 1
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
    to_right = np.linalg.solve(modes.right.modes.T, (modes.right.modes * modes.right.factors).T).T
    to_left = np.linalg.solve(modes.left.modes.T, (modes.left.modes / modes.left.factors).T).T
    lead_0 = _lead_from_self_energy(modes.inter_slice[:, None] * to_left, modes.channels)
    lead_1 = _lead_from_self_energy(np.conj(modes.inter_slice)[:, None] * to_right, modes.channels)
    return lead_0, lead_1


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
    return LeadModes(Waves(scaled, factors), Waves(scaled, 1.0 / factors), int(propagating.sum()), inter_slice)


def _field_modes(
    hamiltonian: NDArray[np.float64], inter_slice: NDArray[np.complex128], hopping: float, energy: float
) -> LeadModes:
    """With a field: eigenvectors of the 2M x 2M transfer matrix, sorted by decay and current."""
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
    modes = vectors[width:] / np.linalg.norm(vectors[width:], axis=0)
    distance = np.abs(factors) - 1.0
    propagating = np.abs(distance) < _UNIT_CIRCLE
    if np.any(np.abs(distance[~propagating]) < np.sqrt(THRESHOLD)):
        raise _threshold_error(energy, "a mode about to open", hopping)
    right, left = _split_by_current(modes[:, propagating], factors[propagating], inter_slice, energy, hopping)
    channels = len(right.factors)
    decaying, growing = ~propagating & (distance < 0), ~propagating & (distance > 0)
    right = _joined(right, modes[:, decaying], factors[decaying])
    left = _joined(left, modes[:, growing], factors[growing])
    if len(right.factors) != width or len(left.factors) != width:
        raise _threshold_error(energy, "modes that cannot be told apart", hopping)
    for waves in (right, left):
        behind, ahead = waves.modes / waves.factors, waves.modes * waves.factors
        flow = inter_slice[:, None] * behind + np.conj(inter_slice)[:, None] * ahead
        residual = np.max(np.abs((energy * identity - hamiltonian) @ waves.modes - flow) / np.abs(flow).max(axis=0))
        if not residual < _RESIDUAL:
            raise PhysicsError(
                f"energy: {energy!r}: the lead modes in this field cannot be resolved (residual {residual:.1e}, bound "
                f"{_RESIDUAL:.0e}); change the energy or the flux slightly"
            )
    return LeadModes(right, left, channels, inter_slice)


def _joined(waves: Waves, modes: NDArray[np.complex128], factors: NDArray[np.complex128]) -> Waves:
    return Waves(np.hstack([waves.modes, modes]), np.concatenate([waves.factors, factors]))


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
    return Waves(modes, np.array(factors, dtype=np.complex128))


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
