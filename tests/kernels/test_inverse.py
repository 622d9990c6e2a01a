"""The inverse of a matrix in every lane, by the host build, against NumPy's."""

from __future__ import annotations

import ctypes
import platform
import subprocess

import numpy as np
import pytest

from mesogpu.backends.native.compiler import FLAGS, TARGET_FLAGS, find_compiler
from mesogpu.backends.sources import kernel_folder
from mesogpu.errors import BackendUnavailable

try:
    COMPILER = find_compiler()
except BackendUnavailable as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

SOURCE = """
#include "inverse.cuh"
extern "C" {
int lanes() { return LANES; }
int64 scratch(int n) { return LANES * inverse_reals(n); }
void inverse(double* matrix, int n, int ld, double* memory) {
  invert((cplx*)matrix, n, ld, inverse_scratch(n, (real*)memory));
}
}
"""
TILE, ROUNDING = 4, 2.0**-52
SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 17, 20, 32, 33, 64)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    folder = tmp_path_factory.mktemp("inverse")
    (folder / "inverse.cpp").write_text(SOURCE, encoding="utf-8")
    flags = (*FLAGS, *TARGET_FLAGS.get(platform.machine(), ()), "-Wno-unknown-pragmas", "-I", str(kernel_folder()))
    target = folder / "inverse.so"
    subprocess.run([COMPILER.path, *flags, str(folder / "inverse.cpp"), "-o", str(target)], check=True, timeout=300)
    loaded = ctypes.CDLL(str(target))
    loaded.scratch.restype = ctypes.c_int64
    return loaded


def aligned(count: int) -> np.ndarray:
    buffer = np.full(count + 8, np.nan)
    offset = (-buffer.ctypes.data // 8) % 8
    return buffer[offset : offset + count]


def inverted(library: ctypes.CDLL, matrices: np.ndarray, extra: int = 0) -> np.ndarray:
    """Inverses of (lanes, n, n), which are padded by the identity; rows of the padded ones are longer by `extra`."""
    lanes, size, _ = matrices.shape
    rows = -(-size // TILE) * TILE
    padded = np.zeros((lanes, rows, rows + extra), dtype=np.complex128)
    padded[:, np.arange(rows), np.arange(rows)] = 1.0
    padded[:, :size, :size] = matrices
    numbers = aligned(2 * padded.size).reshape(rows, rows + extra, 2, lanes)
    numbers[:, :, 0], numbers[:, :, 1] = np.moveaxis(padded.real, 0, -1), np.moveaxis(padded.imag, 0, -1)
    memory = aligned(library.scratch(rows))
    pointers = (ctypes.c_void_p(array.ctypes.data) for array in (numbers, memory))
    library.inverse(next(pointers), rows, rows + extra, next(pointers))
    return np.moveaxis(numbers[:, :, 0] + 1j * numbers[:, :, 1], -1, 0)[:, :size, :size]


def random_matrices(library: ctypes.CDLL, size: int, seed: int = 5) -> np.ndarray:
    generator = np.random.default_rng((seed, size))
    shape = (library.lanes(), size, size)
    return generator.standard_normal(shape) + 1j * generator.standard_normal(shape)


def assert_inverse(computed: np.ndarray, matrices: np.ndarray) -> None:
    """Each to some roundings times its condition number; the spectral norm of the error over that of the inverse."""
    exact = np.linalg.inv(matrices)
    error = np.linalg.norm(computed - exact, 2, axis=(1, 2)) / np.linalg.norm(exact, 2, axis=(1, 2))
    assert np.all(error <= 10.0 * matrices.shape[-1] * ROUNDING * np.linalg.cond(matrices))


@pytest.mark.parametrize("size", SIZES)
def test_the_inverse_of_random_matrices_of_any_size(library, size):
    # Seen to fail with the panel's rows kept in the product, and with a tile's columns left where its pivots put them.
    matrices = random_matrices(library, size)
    assert_inverse(inverted(library, matrices), matrices)
    assert_inverse(inverted(library, matrices, extra=3), matrices)


def weakened_diagonal(library: ctypes.CDLL, size: int, reach: int, factor: float) -> np.ndarray:
    """Random matrices whose diagonal blocks of `reach` rows are a factor of what they were."""
    block = np.arange(size) // reach
    return random_matrices(library, size) * np.where(block[:, None] == block, factor, 1.0)


@pytest.mark.parametrize(
    ("size", "reach"), [(2, 1), (5, 1), (16, 1), (33, 1), (8, 4), (13, 4), (16, 8), (20, 8), (33, 16)]
)
def test_zeros_on_the_diagonal_are_no_hindrance(library, size, reach):
    # Seen to fail with no rows swapped, and with the columns restored from the first swap on.
    matrices = weakened_diagonal(library, size, reach, 0.0)
    assert_inverse(inverted(library, matrices), matrices)


@pytest.mark.parametrize("size", [3, 8, 20])
def test_permutations_are_inverted_exactly(library, size):
    generator = np.random.default_rng(size)
    matrices = np.array([np.eye(size)[generator.permutation(size)] for _ in range(library.lanes())])
    assert np.array_equal(inverted(library, matrices.astype(complex)), np.swapaxes(matrices, 1, 2))


@pytest.mark.parametrize("condition", [1e3, 1e6, 1e10])
def test_an_ill_conditioned_matrix_costs_no_more_digits_than_its_condition_number_says(library, condition):
    # Seen to fail with the reciprocals of pivots off by 1e-9.
    size = 24
    left, _ = np.linalg.qr(random_matrices(library, size, seed=1))
    right, _ = np.linalg.qr(random_matrices(library, size, seed=2))
    matrices = (left * np.geomspace(1.0, 1.0 / condition, size)) @ right
    assert_inverse(inverted(library, matrices), matrices)


@pytest.mark.parametrize("reach", [1, 4, 8])
def test_tiny_pivots_among_ordinary_numbers_are_passed_over(library, reach):
    # Taken for pivots they would cost nine digits. Seen to fail with multipliers up to 1e12.
    matrices = weakened_diagonal(library, 24, reach, 1e-9)
    assert_inverse(inverted(library, matrices), matrices)


def test_no_lane_sees_another(library):
    # Seen to fail with every lane taking the pivots of the first that asks.
    matrices = random_matrices(library, 16)
    matrices[:, np.arange(16), np.arange(16)] += 30.0
    alone = inverted(library, np.repeat(matrices[:1], library.lanes(), axis=0))[0]
    for company in (np.zeros((16, 16)), np.eye(16)[::-1], np.full((16, 16), np.nan), random_matrices(library, 16)[0]):
        for place in range(library.lanes()):
            crowd = np.repeat(company[None].astype(complex), library.lanes(), axis=0)
            crowd[place] = matrices[0]
            assert inverted(library, crowd)[place].tobytes() == alone.tobytes()


def test_a_singular_matrix_leaves_numbers_that_are_not_finite(library):
    matrices = random_matrices(library, 9)
    matrices[0, 4] = 0.0
    computed = inverted(library, matrices)
    assert not np.all(np.isfinite(computed[0]))
    assert_inverse(computed[1:], matrices[1:])
