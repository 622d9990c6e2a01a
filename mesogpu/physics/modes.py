"""Modes of a clean lead on a link, the bonds from slice x to slice x + 1.

A lead repeats a cell of one slice (two on a honeycomb). Its modes gain a factor lambda a cell; they propagate where
|lambda| = 1 and decay otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from mesogpu.physics.blas import one_thread
from mesogpu.physics.leads import THRESHOLD, CleanLead, ComplexArray, LeadModes, Waves, attach_lead, threshold_error

_UNIT_CIRCLE = 1e-7
_DEGENERATE = 1e-6
_RESIDUAL = 1e-9
_UNSEEN = 1e-6


@lru_cache(maxsize=256)
@one_thread()
def lead_modes(lead: CleanLead, x: int) -> LeadModes:
    """Modes of a clean lead on the link from slice x to slice x + 1.

    raises : PhysicsError where E is within 1e-9 t of the band edge of a mode
    source : Ando, PRB 44, 8017 (1991)
    """
    return _separate_modes(lead, x) if lead.separates else _cell_modes(lead, x)


def _separate_modes(lead: CleanLead, x: int) -> LeadModes:
    """Without field and spin-orbit the transverse modes separate: E - eps_m = -t (lambda_m + 1/lambda_m)."""
    clean, hopping, energy = lead.slices(x, 1), lead.hopping, lead.energy
    transverse, modes = np.linalg.eigh(clean.intra_slice(0)[0])
    edges = np.concatenate([transverse - 2.0 * hopping, transverse + 2.0 * hopping])
    nearest = int(np.argmin(np.abs(edges - energy)))
    if abs(edges[nearest] - energy) < THRESHOLD * hopping:
        raise threshold_error(lead, f"mode {nearest % len(transverse) + 1} of {len(transverse)}")
    cosine = (transverse - energy) / (2.0 * hopping)
    order = np.argsort(np.abs(cosine) >= 1.0, kind="stable")
    cosine, modes = cosine[order], modes[:, order]
    sine = np.sqrt(np.abs(1.0 - cosine**2))
    propagating = np.abs(cosine) < 1.0
    factors = np.where(propagating, cosine + 1j * sine, cosine - np.sign(cosine) * sine).astype(np.complex128)
    scaled = (modes / np.where(propagating, np.sqrt(2.0 * hopping * sine), 1.0)).astype(np.complex128)
    ports = np.arange(len(modes))
    return LeadModes(
        right=Waves(scaled, scaled * factors),
        left=Waves(scaled * factors, scaled),
        channels=int(propagating.sum()),
        ports=ports,
        orbitals=len(ports),
        hopping=-hopping * np.eye(len(ports), dtype=np.complex128),
    )


def _cell_modes(lead: CleanLead, x: int) -> LeadModes:
    """Modes from the pencil A z = lambda B z of a cell; z holds psi_x at the ports last and psi_{x+1} before.

    Decaying modes lean on each other, the more the wider the lead, until no eigenvectors tell them apart; only the
    space that they span matters, and a Schur decomposition has an orthonormal basis of it.
    """
    cell = _Cell.of(lead, x)
    first, second, ahead_rows, here_rows = cell.transfer() if lead.lattice.fully_linked else cell.pencil()
    factors, vectors = scipy.linalg.eig(first) if _is_unit(second) else scipy.linalg.eig(first, second)
    with np.errstate(invalid="ignore"):
        distance = np.abs(factors) - 1.0
    propagating = np.abs(distance) < _UNIT_CIRCLE
    if np.any(np.abs(distance[~propagating]) < np.sqrt(THRESHOLD)):
        raise threshold_error(lead, "a mode about to open")
    here, ahead = vectors[here_rows][:, propagating], vectors[ahead_rows][:, propagating]
    right, left = _split_by_current(lead, cell.hopping, here, ahead, factors[propagating])
    channels, ports = right.here.shape[1], len(cell.ports)
    if left.here.shape[1] != channels:
        raise threshold_error(lead, "modes that cannot be told apart")
    rows = np.concatenate([here_rows, ahead_rows])
    below, above = 1.0 - _UNIT_CIRCLE, 1.0 + _UNIT_CIRCLE
    shrinking = _deflating_space(first, second, lambda a, b: np.abs(a) < below * np.abs(b))
    growing = _deflating_space(first, second, lambda a, b: np.abs(a) > above * np.abs(b))
    found = LeadModes(
        right=_joined(lead, right, shrinking[rows]),
        left=_joined(lead, left, growing[rows]),
        channels=channels,
        ports=cell.ports,
        orbitals=lead.lattice.sites * lead.spins,
        hopping=cell.hopping,
    )
    if found.right.here.shape[1] != ports or found.left.here.shape[1] != ports:
        raise threshold_error(lead, "modes that cannot be told apart")
    cell.check(found)
    return found


@dataclass(frozen=True, slots=True)
class _Cell:
    """Slices x + 1 ... x + p of a lead and the links around them.

    inside  : p of (D, D), E - h
    links   : p + 1 of (D, D), V from slice x + k to the next one
    ports   : (m,) orbitals of the first and of the last link
    hopping : (m, m), V among them
    """

    lead: CleanLead
    inside: tuple[ComplexArray, ...]
    links: tuple[ComplexArray, ...]
    ports: NDArray[np.int64]
    hopping: ComplexArray

    @classmethod
    def of(cls, lead: CleanLead, x: int) -> _Cell:
        period, orbitals = lead.lattice.period, lead.lattice.sites * lead.spins
        slices = lead.slices(x, period + 1)
        links = [_block_diagonal(slices.inter_slice(k)[0]) for k in range(period + 1)]
        inside = [lead.energy * np.eye(orbitals) - slices.intra_slice(k)[0] for k in range(1, period + 1)]
        ports = np.flatnonzero(np.repeat(lead.lattice.linked(x), lead.spins))
        return cls(lead, tuple(inside), tuple(links), ports, links[0][np.ix_(ports, ports)])

    def transfer(self) -> tuple[ComplexArray, ComplexArray, NDArray[np.int64], NDArray[np.int64]]:
        """The transfer matrix of [psi_{x+1}; psi_x] over the cell, as a pencil with the unit matrix."""
        orbitals = len(self.inside[0])
        unit, zero = np.eye(orbitals), np.zeros((orbitals, orbitals))
        total = np.eye(2 * orbitals, dtype=np.complex128)
        for inside, before, after in zip(self.inside, self.links, self.links[1:], strict=False):
            outward = after.conj().T
            step = np.block([[np.linalg.solve(outward, inside), -np.linalg.solve(outward, before)], [unit, zero]])
            total = step @ total
        whole = np.eye(2 * orbitals, dtype=np.complex128)
        return total, whole, np.arange(orbitals), np.arange(orbitals, 2 * orbitals)

    def pencil(self) -> tuple[ComplexArray, ComplexArray, NDArray[np.int64], NDArray[np.int64]]:
        """z = [psi of the cell; psi_x at the ports]; nothing is inverted, so links may lack bonds."""
        orbitals, period, ports = len(self.inside[0]), len(self.inside), self.ports
        size, m = orbitals * period, len(ports)
        first = np.zeros((size + m, size + m), dtype=np.complex128)
        second = np.zeros_like(first)
        for k, inside in enumerate(self.inside):
            rows = slice(k * orbitals, (k + 1) * orbitals)
            first[rows, rows] = inside
            if k + 1 < period:
                following = slice((k + 1) * orbitals, (k + 2) * orbitals)
                first[following, rows] = -self.links[k + 1]
                first[rows, following] = -self.links[k + 1].conj().T
        leaving, waiting = size - orbitals + ports, np.arange(size, size + m)
        first[np.ix_(ports, waiting)] = -self.hopping
        first[waiting, leaving] = 1.0
        second[np.ix_(leaving, ports)] = self.hopping.conj().T
        second[waiting, waiting] = 1.0
        return first, second, ports, waiting

    def check(self, modes: LeadModes) -> None:
        """Through one more cell each self-energy must come back: Sigma_x = V^dagger (E - h - Sigma_{x+1})^-1 V."""
        for side in (0, 1):
            start = attach_lead(modes, side).self_energy
            present = start
            order = range(len(self.inside)) if side == 0 else reversed(range(len(self.inside)))
            for k in order:
                link = self.links[k + 1] if side == 0 else self.links[k].conj().T
                present = link @ np.linalg.solve(self.inside[k] - present, link.conj().T)
            residual = np.abs(present - start).max() / np.abs(self.hopping).max()
            if not residual < _RESIDUAL:
                reason = f"modes that cannot be resolved, residual {residual:.1e}, bound {_RESIDUAL:.0e}"
                raise threshold_error(self.lead, reason)


def _block_diagonal(blocks: ComplexArray) -> ComplexArray:
    sites, spins = blocks.shape[:2]
    matrix = np.zeros((sites, spins, sites, spins), dtype=np.complex128)
    matrix[np.arange(sites), :, np.arange(sites), :] = blocks
    return matrix.reshape(sites * spins, sites * spins)


def _is_unit(matrix: ComplexArray) -> bool:
    return np.array_equal(matrix, np.eye(len(matrix)))


def _deflating_space(
    first: ComplexArray, second: ComplexArray, chosen: Callable[[Any, Any], NDArray[np.bool_]]
) -> ComplexArray:
    """Orthonormal basis (n, k) of the space that belongs to the chosen eigenvalues alpha / beta."""
    # SciPy's stubs know no callables for complex matrices.
    if _is_unit(second):

        def sort(factor: complex) -> bool:
            return bool(chosen(factor, 1.0))

        _, vectors, count = scipy.linalg.schur(first, output="complex", sort=sort)  # type: ignore[call-overload]
        return np.asarray(vectors[:, :count], dtype=np.complex128)
    _, _, alpha, beta, _, vectors = scipy.linalg.ordqz(first, second, sort=chosen, output="complex")  # type: ignore[call-overload]
    return np.asarray(vectors[:, : int(np.sum(chosen(alpha, beta)))], dtype=np.complex128)


def _joined(lead: CleanLead, waves: Waves, decaying: ComplexArray) -> Waves:
    """Propagating waves and the space of the decaying ones, whose rows are those of the ports here, then ahead."""
    ports, needed = len(waves.here), len(waves.here) - waves.here.shape[1]
    if decaying.shape[1] > needed:
        # A pencil has modes that end inside the cell and are not seen at its ports.
        basis, sizes, _ = np.linalg.svd(decaying, full_matrices=False)
        if needed and sizes[needed:].max(initial=0.0) > _UNSEEN * sizes[needed - 1]:
            raise threshold_error(lead, "modes that cannot be told apart")
        decaying = basis[:, :needed]
    return Waves(np.hstack([waves.here, decaying[:ports]]), np.hstack([waves.ahead, decaying[ports:]]))


def _split_by_current(
    lead: CleanLead, hopping: ComplexArray, here: ComplexArray, ahead: ComplexArray, factors: ComplexArray
) -> tuple[Waves, Waves]:
    """Right- and left-moving propagating modes: eigenvectors of the current within each group of equal lambda."""
    right: list[ComplexArray] = []
    left: list[ComplexArray] = []
    remaining = list(range(len(factors)))
    while remaining:
        first = remaining[0]
        group = [k for k in remaining if abs(factors[k] - factors[first]) < _DEGENERATE]
        remaining = [k for k in remaining if k not in group]
        # Orthonormal vectors of the group, so that its velocities have a scale; one vector is just normalised.
        both, _ = np.linalg.qr(np.vstack([here[:, group], ahead[:, group]]))
        start, end = both[: len(here)], both[len(here) :]
        # Current from x to x+1 is 2 Im(psi_{x+1}^dagger V psi_x), positive for a mode that moves to the right.
        amplitude = end.conj().T @ hopping @ start
        velocities, rotation = np.linalg.eigh(-1j * (amplitude - amplitude.conj().T))
        if np.min(np.abs(velocities)) < np.sqrt(THRESHOLD) * lead.hopping:
            raise threshold_error(lead, "a mode about to close")
        rotated = both @ rotation / np.sqrt(np.abs(velocities))
        for column, velocity in enumerate(velocities):
            (right if velocity > 0 else left).append(rotated[:, column])
    return _waves(right, len(here)), _waves(left, len(here))


def _waves(columns: list[ComplexArray], ports: int) -> Waves:
    both = np.array(columns, dtype=np.complex128).reshape(-1, 2 * ports).T
    return Waves(both[:ports], both[ports:])
