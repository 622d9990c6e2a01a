"""Clusters of sites: which are cut off from the leads where sites or bonds are missing, and whether a path is left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mesogpu.physics.lattices import NEXT_Y, NEXT_Z
from mesogpu.physics.slices import Slices
from mesogpu.physics.spin import X, Y, Z


def conducting(slices: Slices, lengths: Sequence[int]) -> tuple[Slices, NDArray[np.bool_]]:
    """Drop what is cut off from both leads at every length, and see whether a path joins them.

    A cluster without a lead carries no current, but where one of its levels lies at the energy, there is no Green's
    function. One that touches a lead at some length stays: even alone with it, it scatters the waves there.

    slices  : from slice 0 to the longest length
    lengths : recorded lengths, increasing, in slices
    returns : the slices, dropped sites missing too; and whether a path joins the leads, (R, lengths)
    """
    samples, longest, sites = slices.onsite.shape[0], lengths[-1], slices.lattice.sites
    here, there = _bonds(slices)
    paths = np.empty((samples, len(lengths)), dtype=np.bool_)
    kept = np.zeros((samples, longest * sites), dtype=np.bool_)
    for column, length in enumerate(lengths):
        within = (there // sites) % longest < length
        labels, left, right = _label(slices, here[within], there[within], length)
        paths[:, column] = left == right
        kept |= (labels == left[:, None]) | (labels == right[:, None])
    onsite = np.where(kept.reshape(samples, longest, sites), slices.onsite, np.nan)
    return replace(slices, onsite=onsite), paths


def _label(
    slices: Slices, here: NDArray[np.int64], there: NDArray[np.int64], length: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Cluster of each site (R, X M), and those of lead 0 and lead 1, (R,), in samples of the given length."""
    samples, longest, sites = slices.onsite.shape
    total = samples * longest * sites
    present = ~np.isnan(slices.onsite)
    ends = []
    for lead, (x, link) in enumerate(((0, -1), (length - 1, length - 1))):
        realization, site = np.nonzero(present[:, x] & slices.lattice.linked(link))
        ends.append(((realization * longest + x) * sites + site, total + 2 * realization + lead))
    rows = np.concatenate([here, ends[0][0], ends[1][0]])
    columns = np.concatenate([there, ends[0][1], ends[1][1]])
    size = total + 2 * samples
    graph = coo_array((np.ones(len(rows), dtype=np.int8), (rows, columns)), shape=(size, size))
    labels = connected_components(graph, directed=False)[1].astype(np.int64)
    leads = labels[total:].reshape(samples, 2)
    return labels[:total].reshape(samples, -1), leads[:, 0], leads[:, 1]


def _bonds(slices: Slices) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both ends of every bond between sites that are there; the second end is never in an earlier slice."""
    samples, longest, sites = slices.onsite.shape
    present = ~np.isnan(slices.onsite)
    intact = [np.broadcast_to(np.any(bond != 0.0, axis=-1), slices.onsite.shape) for bond in slices.bonds]
    first = np.arange(samples * longest * sites).reshape(samples, longest, sites)
    here, there = [], []
    for k, x in enumerate(slices.numbers):
        neighbours = slices.lattice.neighbours(int(x))
        for direction, column in ((Y, NEXT_Y), (Z, NEXT_Z)):
            lower = np.flatnonzero(neighbours[:, column] >= 0)
            upper = neighbours[lower, column]
            joined = intact[direction][:, k, lower] & present[:, k, lower] & present[:, k, upper]
            here.append(first[:, k, lower][joined])
            there.append(first[:, k, upper][joined])
        if k + 1 < longest:
            joined = intact[X][:, k] & present[:, k] & present[:, k + 1] & slices.lattice.linked(int(x))
            here.append(first[:, k][joined])
            there.append(first[:, k + 1][joined])
    return np.concatenate(here), np.concatenate(there)
