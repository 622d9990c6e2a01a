"""`struct Conductor` of kernels/conductor.cuh: what the kernels are told about a point, and what they give back."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.physics.disorder import Gaussian, Law, Vacancy
from mesogpu.physics.draws import ONSITE, Draws, stream_of
from mesogpu.physics.systems import System
from mesogpu.plan.points import Point

FIELDS = 5
"""Numbers a realization and length: exponent, trace, square trace, flux defect, conditioning."""

LAW_KINDS = ("uniform", "gaussian", "cauchy", "binary", "sphere")
FROM_HOST = len(LAW_KINDS)
"""In place of a kind: `given_energies` draws this law."""

LAW_PLACES = ("sites", "bonds", "flux", "spins")
LAW_PARAMETERS = 3
RANDOM_COUPLINGS = ("su2", "evangelou-ziman")
DIRECTIONS = 3

ARRAYS = ("lengths", "law_kinds", "law_places", "law_parameters", "neighbours", "twist")


class Conductor(ctypes.Structure):
    """`struct Conductor`, field by field; pointers are addresses in the memory of the device that runs the kernel."""

    _fields_ = (
        *((name, ctypes.c_int) for name in ("sites", "spins", "depth", "lines", "period")),
        *((name, ctypes.c_int) for name in ("channels", "slices", "recorded", "laws", "random_coupling", "twisted")),
        *((name, ctypes.c_int) for name in ("slots", "record", "field")),
        ("bonds", ctypes.c_int * DIRECTIONS),
        ("phase", ctypes.c_int),
        ("masks", ctypes.c_int * DIRECTIONS),
        *((name, ctypes.c_uint32) for name in ("seed", "point")),
        *((name, ctypes.c_double) for name in ("energy", "hopping", "flux", "coupling")),
        ("uniform", ctypes.c_double * 4 * DIRECTIONS),
        ("ahead", ctypes.c_double * 4),
        ("zeeman", ctypes.c_double * 3),
        *((name, ctypes.c_void_p) for name in ARRAYS),
    )


@dataclass(frozen=True, slots=True)
class Record:
    """Where the numbers of a site stand in its record, after e = -(E - V) / t; 0 for what it does not have.

    field : of h / t, three
    bonds : of the bonds along x (U and 1 / |U|^2), y and z
    phase : of cos and sin of 2 pi theta
    size  : numbers of a record
    """

    field: int
    bonds: tuple[int, int, int]
    phase: int
    size: int

    @property
    def reaches_back(self) -> bool:
        """Whether a step needs the record of the slice before, too."""
        return self.bonds[0] > 0 or self.phase > 0


@dataclass(frozen=True, slots=True)
class KernelOutput:
    """What a kernel returns for R realizations of a point at each recorded length; amplitudes are t = 2^exponent s.

    exponent     : (length, R) int64
    trace        : (length, R) float64, Tr s s^dagger
    square_trace : (length, R) float64, Tr (s s^dagger)^2
    defect       : (length, R) float64, |R + T - N| of one incoming wave
    conditioning : (length, R) float64, largest spread of a triangular factor's diagonal so far
    eigenvalues  : (length, R, N) float64, those of s s^dagger, descending; None where not asked for
    """

    exponent: NDArray[np.int64]
    trace: NDArray[np.float64]
    square_trace: NDArray[np.float64]
    defect: NDArray[np.float64]
    conditioning: NDArray[np.float64]
    eigenvalues: NDArray[np.float64] | None

    def part(self, realizations: slice) -> KernelOutput:
        """The same for some of the realizations."""
        return KernelOutput(
            exponent=self.exponent[:, realizations],
            trace=self.trace[:, realizations],
            square_trace=self.square_trace[:, realizations],
            defect=self.defect[:, realizations],
            conditioning=self.conditioning[:, realizations],
            eigenvalues=None if self.eigenvalues is None else self.eigenvalues[:, realizations],
        )


def record_of(system: System) -> Record:
    """The numbers that differ from realization to realization, and where a kernel keeps them."""
    places = {law.on for law in system.laws}
    size = 1
    field = phase = 0
    bonds = [0, 0, 0]
    if system.zeeman is not None or "spins" in places:
        field, size = size, size + 3
    if "bonds" in places or (system.spin_orbit is not None and system.spin_orbit.random):
        components = 4 if system.spins == 2 else 1
        for direction, exists in enumerate((True, system.lattice.width > 1, system.lattice.depth > 1)):
            if exists:
                bonds[direction], size = size, size + components + (direction == 0)
    if "flux" in places:
        phase, size = size, size + 2
    return Record(field, (bonds[0], bonds[1], bonds[2]), phase, size)


def conductor_arrays(point: Point) -> dict[str, NDArray[Any]]:
    """The arrays that a conductor points to, by the names in `ARRAYS` and in this order.

    lengths        : (recorded,) int32, slices
    law_kinds      : (laws,) int32, `LawKind` of kernels/disorder.cuh
    law_places     : (laws,) int32, `LawPlace`
    law_parameters : (laws, 3) float64
    neighbours     : (period, sites, 4) int32
    twist          : (sites,) complex128, exp(2 pi i flux y)
    """
    system = point.system
    laws, lattice = system.laws, system.lattice
    parameters = np.zeros((len(laws), LAW_PARAMETERS))
    for row, law in zip(parameters, laws, strict=True):
        row[: len(law.parameters)] = law.parameters
    neighbours = np.stack([lattice.neighbours(x) for x in range(lattice.period)])
    return {
        "lengths": np.array(point.lengths, dtype=np.int32),
        "law_kinds": np.array([_kind(law) for law in laws], dtype=np.int32),
        "law_places": np.array([LAW_PLACES.index(law.on) for law in laws], dtype=np.int32),
        "law_parameters": parameters,
        "neighbours": np.ascontiguousarray(neighbours, dtype=np.int32),
        "twist": np.exp(2j * np.pi * system.flux * lattice.rows()),
    }


def make_conductor(point: Point, slots: int, addresses: Mapping[str, int | None]) -> Conductor:
    """The structure for one launch.

    slots     : slices whose records a kernel keeps at a time
    addresses : where each of `ARRAYS` begins
    """
    system = point.system
    record, coupling = record_of(system), system.spin_orbit
    bonds = _uniform_bonds(system)
    random = coupling.kind if coupling is not None and coupling.random else None
    return Conductor(
        sites=system.lattice.sites,
        spins=system.spins,
        depth=system.lattice.depth,
        lines=system.lattice.width if system.lattice.kind == "cubic" else 1,
        period=system.lattice.period,
        channels=0 if point.bars else system.channels(),
        slices=point.slices,
        recorded=len(point.lengths),
        laws=len(system.laws),
        random_coupling=0 if random is None else 1 + RANDOM_COUPLINGS.index(random),
        twisted=system.flux != 0.0,
        slots=slots,
        record=record.size,
        field=record.field,
        bonds=record.bonds,
        phase=record.phase,
        masks=tuple(int((bond != 0.0) @ (1 << np.arange(4))) for bond in bonds),
        seed=point.seed,
        point=point.stream_point,
        energy=system.energy,
        hopping=system.hopping,
        flux=system.flux,
        coupling=0.0 if coupling is None else coupling.strength,
        uniform=tuple(tuple(bond) for bond in bonds),
        ahead=tuple(bonds[0] / np.sum(bonds[0] ** 2)),
        zeeman=tuple(h / system.hopping for h in system.zeeman or (0.0, 0.0, 0.0)),
        **addresses,
    )


def draws_on_host(system: System) -> bool:
    """Whether `given_energies` has anything to draw."""
    return any(_kind(law) == FROM_HOST for law in system.laws)


def given_energies(point: Point, realizations: NDArray[np.uint32]) -> NDArray[np.float64] | None:
    """What the host draws of the onsite energies: correlated laws, and NaN for missing sites; None where nothing.

    returns : (R, slices, sites) float64, units of t
    """
    system = point.system
    draws = Draws(point.seed, realizations, np.arange(point.slices), system.lattice, point.stream_point)
    total = None
    for position, law in enumerate(system.laws):
        if _kind(law) == FROM_HOST:
            numbers = draws.numbers(law, stream_of(position, ONSITE))
            total = numbers if total is None else total + numbers
    return total


def by_lanes(energies: NDArray[np.float64], lanes: int, target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Energies of full groups as the kernels read them: (group, slice, site, lane), a lane for each realization.

    energies : (groups * lanes, slices, sites) float64
    target   : where they go, as many numbers
    """
    grouped = energies.reshape(-1, lanes, *energies.shape[1:])
    target.reshape(*grouped.shape[:1], *grouped.shape[2:], lanes)[...] = np.moveaxis(grouped, 1, -1)
    return target


def unpack(
    fields: NDArray[np.float64], values: NDArray[np.float64] | None, conductor: Conductor, lanes: int, count: int
) -> KernelOutput:
    """What a kernel wrote, in the order of the realizations.

    fields  : (groups * recorded * FIELDS * lanes,) float64
    values  : (groups * recorded * channels * lanes,) float64, T_n / 4^exponent; None where not asked for
    lanes   : realizations a group; 1 on CUDA
    count   : realizations that were asked for; those beyond fill up the last group
    """
    recorded, channels = conductor.recorded, conductor.channels
    by_field = fields.reshape(-1, recorded, FIELDS, lanes).transpose(2, 1, 0, 3).reshape(FIELDS, recorded, -1)
    exponent, trace, square_trace, defect, conditioning = by_field[:, :, :count]
    if values is not None:
        values = values.reshape(-1, recorded, channels, lanes).transpose(1, 0, 3, 2)
        values = values.reshape(recorded, -1, channels)[:, :count]
    return KernelOutput(exponent.astype(np.int64), trace, square_trace, defect, conditioning, values)


def _kind(law: Law) -> int:
    correlated = isinstance(law, Gaussian) and law.correlation_length > 0.0
    return FROM_HOST if correlated or isinstance(law, Vacancy) else LAW_KINDS.index(law.distribution)


def _uniform_bonds(system: System) -> NDArray[np.float64]:
    """U of the bonds along x, y and z where the coupling does not make them random, (3, 4)."""
    bonds = np.zeros((DIRECTIONS, 4))
    bonds[:, 0] = 1.0
    coupling = system.spin_orbit
    if coupling is not None and not coupling.random:
        for direction in range(2):
            bonds[direction] = coupling.uniform_bond(direction, system.hopping)
    return bonds
