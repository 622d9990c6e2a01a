"""Floating-point operations of the transmission kernel: a count of the algorithm, whatever the code does beyond it.

A real addition or multiplication counts 1, so a complex multiplication with addition counts 8. Symmetry and triangles
are used to the full: an operation that the code does on the padded or mirrored half counts nothing. With M sites, N
channels, q slices between stabilisations:

    slice           real hopping : 8 M^2    onsite term 2, two neighbours 4, the slice before 2, for each entry
                    with flux    : 20 M^2   onsite 2, neighbours 4, w times the slice before 8, w times all 6
                    (hard walls: 4 M less, the neighbours that are missing)
    stabilisation   Gram matrix of 2M rows  8 M^3     M^2 / 2 complex products of length 2M
                    Cholesky                4/3 M^3
                    X R^-1                  8 M^3     2M rows, M^2 / 2 products each
                    P R^-1                  4/3 N^3   triangle times triangle, N^3 / 6 products
    attachment      incoming X             16 M^3     M rows of length 2M on M columns
                    Gram matrix             4 M^3
                    Cholesky                4/3 M^3
                    N rows of Q             4 N M^2
                    P R^-1                  4/3 N^3
                    P R^-1 Q^dagger         4 N^3     triangle times full
                    t'^dagger t'            4 N^3     upper half
                    certificate             20 M^2 + 18 M N + 4 N^2   one wave through sample and lead
    eigenvalues     tridiagonal form       16/3 N^3   one Hermitian product and half an update of rank 2 a column

Left out: random numbers, sums of lower order, and the QL sweeps of the eigenvalues, whose number the data decide.
"""

from __future__ import annotations

from mesogpu.plan import Point


def transmission_operations(point: Point, interval: int) -> float:
    """Real operations of one realization of a point at all its lengths, T_n included where the point asks for them."""
    system = point.system
    width, channels = system.width, system.channels()
    total = point.lengths[-1] * slice_operations(width, twisted=system.flux != 0.0, periodic=system.periodic)
    start = 0
    for length in point.lengths:
        stabilisations = -(-(length - start) // interval)
        total += stabilisations * stabilisation_operations(width, channels) + attachment_operations(width, channels)
        if point.eigenvalues:
            total += eigenvalue_operations(channels)
        start = length
    return total


def slice_operations(width: int, *, twisted: bool, periodic: bool) -> float:
    """One step of a frame."""
    return (20.0 if twisted else 8.0) * width**2 - (0.0 if periodic else 4.0 * width)


def stabilisation_operations(width: int, channels: int) -> float:
    """One orthonormalisation of a frame, its history carried along."""
    return (8.0 + 4.0 / 3.0 + 8.0) * width**3 + 4.0 / 3.0 * channels**3


def attachment_operations(width: int, channels: int) -> float:
    """Lead 1 at one length: amplitudes, traces and the certificate."""
    cubic = (16.0 + 4.0 + 4.0 / 3.0) * width**3 + 4.0 * channels * width**2
    cubic += (4.0 / 3.0 + 4.0 + 4.0) * channels**3
    return cubic + 20.0 * width**2 + 18.0 * width * channels + 4.0 * channels**2


def eigenvalue_operations(channels: int) -> float:
    """T_n from t'^dagger t'."""
    return 16.0 / 3.0 * channels**3
