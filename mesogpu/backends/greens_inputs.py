"""What the recursive Green's-function kernel is given beside the conductor: layers, leads, missing sites."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.backends.conductor import given_energies
from mesogpu.backends.reference.backend import conducting_slices
from mesogpu.physics.blas import one_thread
from mesogpu.physics.lattices import NEXT_Y, PREVIOUS_Y, Lattice
from mesogpu.physics.leads import CleanLead, attach_lead
from mesogpu.physics.modes import lead_modes
from mesogpu.plan.points import Point

ARRAYS = ("counts", "sites", "back", "beside", "self_energies", "couplings")

SLOTS = 2
"""Slices whose records the kernel keeps: a layer's own, and the one that its bonds along x come from."""

ABSENT = -1


class LayerInputs(ctypes.Structure):
    """`struct LayerInputs` of kernels/layers.cuh, field by field."""

    _fields_ = (
        ("layers", ctypes.c_int),
        ("most", ctypes.c_int),
        *((name, ctypes.c_void_p) for name in ARRAYS),
    )


def layer_arrays(point: Point, split: bool) -> dict[str, NDArray[Any]]:
    """The arrays that `LayerInputs` points to; points that differ in their disorder alone share them.

    A place is a site's number in its layer; m orbitals in the largest layer, N channels.

    split         : whether an armchair ribbon's slices are two layers each, which is faster and less accurate

    counts        : (period, layers) int32, sites of a layer
    sites         : (period, layers, most) int32, their numbers in the slice
    back          : (period * layers + 1, most, 2) int32, the places of a site's neighbours in the layer before, -1
                    where there is none; last the first layer of a sample, before which there is nothing
    beside        : (period, layers, most, 4) int32, those in its own layer, in the order of `Lattice.neighbours`
    self_energies : (1 + period, m, m) complex128, units of t: lead 0's on the first layer; then lead 1's on the last
                    one of a sample of length L, by (L - 1) % period
    couplings     : (1 + period, m, N) complex128, the same of W, units of the root of t
    """
    return _arrays(point.system.lead(), split)


def make_layer_inputs(arrays: Mapping[str, NDArray[Any]], addresses: Mapping[str, int | None]) -> LayerInputs:
    """The structure for one launch; addresses: where each of `ARRAYS` begins."""
    _, layers, most = arrays["sites"].shape
    return LayerInputs(layers=layers, most=most, **addresses)


def conducting_energies(
    point: Point, realizations: NDArray[np.uint32]
) -> tuple[NDArray[np.float64] | None, NDArray[np.bool_]]:
    """What the host draws of the onsite energies, NaN where a site is missing or cut off; and whether there is a path.

    returns : (R, slices, sites) float64, units of t, None where there is nothing to draw; (length, R) bool
    """
    given = given_energies(point, realizations)
    if not point.system.may_lack_bonds:
        return given, np.ones((len(point.lengths), len(realizations)), dtype=np.bool_)
    slices, paths = conducting_slices(point, realizations)
    return np.where(np.isnan(slices.onsite), np.nan, 0.0 if given is None else given), paths.T


def _layers(lattice: Lattice, x: int, split: bool) -> list[NDArray[np.int64]]:
    """The sites of each layer of slice x: all of them; split, first those with a bond to the slice before."""
    if not split:
        return [np.arange(lattice.sites)]
    return [np.flatnonzero(lattice.linked(x - 1)), np.flatnonzero(lattice.linked(x))]


@lru_cache(maxsize=64)
@one_thread()
def _arrays(lead: CleanLead, split: bool) -> dict[str, NDArray[Any]]:
    slices = [_layers(lead.lattice, x, split) for x in range(lead.lattice.period)]
    most = max(len(layer) for layers in slices for layer in layers)
    tables = [_tables(lead.lattice, x, layers, slices[x - 1][-1], most) for x, layers in enumerate(slices)]
    sites, back, beside = (np.stack([table[k] for table in tables]).astype(np.int32) for k in range(3))
    nothing_back = np.full((1, *back.shape[2:]), ABSENT, dtype=np.int32)
    self_energies, couplings = zip(
        _lead_on_layer(lead, -1, 0, slices[0][0], most),
        *(_lead_on_layer(lead, x, 1, layers[-1], most) for x, layers in enumerate(slices)),
        strict=True,
    )
    return {
        "counts": np.array([[len(layer) for layer in layers] for layers in slices], dtype=np.int32),
        "sites": sites,
        "back": np.concatenate([back.reshape(-1, *back.shape[2:]), nothing_back]),
        "beside": beside,
        "self_energies": np.stack(self_energies) / lead.hopping,
        "couplings": np.stack(couplings) / np.sqrt(lead.hopping),
    }


def _tables(
    lattice: Lattice, x: int, layers: list[NDArray[np.int64]], before: NDArray[np.int64], most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """sites (layers, most), back (layers, most, 2), beside (layers, most, 4) of slice x; before: the layer before."""
    neighbours = lattice.neighbours(x)
    sites = np.zeros((len(layers), most), dtype=np.int64)
    back = np.full((len(layers), most, 2), ABSENT)
    beside = np.full((len(layers), most, 4), ABSENT)
    for index, layer in enumerate(layers):
        own, count = neighbours[layer], len(layer)
        sites[index, :count] = layer
        beside[index, :count] = _places(layer, own)
        if index == 0:
            back[index, :count, 0] = np.where(lattice.linked(x - 1)[layer], _places(before, layer), ABSENT)
        else:
            back[index, :count] = _places(layers[0], own[:, [PREVIOUS_Y, NEXT_Y]])
    return sites, back, beside


def _places(layer: NDArray[np.int64], sites: NDArray[np.int64]) -> NDArray[np.int64]:
    """Where in a layer each of the given sites is."""
    found = np.minimum(np.searchsorted(layer, sites), len(layer) - 1)
    return np.where(layer[found] == sites, found, ABSENT)


def _lead_on_layer(
    lead: CleanLead, x: int, side: int, layer: NDArray[np.int64], most: int
) -> tuple[NDArray[np.complex128], NDArray[np.complex128]]:
    """Self-energy (m, m) and coupling (m, N) of the lead across the link from slice x on, on a layer it touches."""
    whole = attach_lead(lead_modes(lead, x % lead.lattice.period), side)
    orbitals = (lead.spins * layer[:, None] + np.arange(lead.spins)).ravel()
    self_energy = np.zeros((most * lead.spins,) * 2, dtype=np.complex128)
    coupling = np.zeros((most * lead.spins, whole.channels), dtype=np.complex128)
    self_energy[: len(orbitals), : len(orbitals)] = whole.self_energy[np.ix_(orbitals, orbitals)]
    coupling[: len(orbitals)] = whole.coupling[orbitals]
    return self_energy, coupling
