"""Where a GPU's workspace goes: the sizes are those of the kernel sources, the counts those of the hardware's rules."""

from __future__ import annotations

import ctypes
import re
from collections.abc import Iterator

import numpy as np
import pytest
from emulated_cupy import SOURCES, compile_device

from mesogpu.backends.conductor import FIELDS, Conductor
from mesogpu.backends.cuda.occupancy import (
    PUBLISHED,
    TILE,
    Limits,
    bar_workspace,
    greens_workspace,
    place,
    resident_blocks,
    threads_of,
    transmission_workspace,
)
from mesogpu.backends.cuda.options import LYAPUNOV, MOST_THREADS, PROGRAMS, TRANSMISSION, compile_options
from mesogpu.backends.greens_inputs import LayerInputs
from mesogpu.backends.native.compiler import find_compiler
from mesogpu.backends.sources import kernel_folder, source_digest
from mesogpu.errors import BackendUnavailable

REGISTERS = {entry: 168 for program in PROGRAMS for entry in program.entries}


@pytest.fixture(scope="module")
def libraries(tmp_path_factory: pytest.TempPathFactory) -> dict[str, ctypes.CDLL]:
    try:
        find_compiler()
    except BackendUnavailable as missing:
        pytest.skip(f"{missing}")
    folder = tmp_path_factory.mktemp("emulated")
    return {kernel: compile_device(folder, kernel) for kernel in SOURCES}


def conductors() -> Iterator[tuple[Conductor, np.random.Generator]]:
    generator = np.random.default_rng(5)
    for _ in range(300):
        spins, sites = int(generator.integers(1, 3)), int(generator.integers(1, 150))
        yield (
            Conductor(
                sites=sites,
                spins=spins,
                channels=int(generator.integers(1, spins * sites + 1)),
                slots=int(generator.integers(1, 18)),
                record=int(generator.integers(1, 22)),
            ),
            generator,
        )


def test_the_workspace_is_as_large_as_the_kernel_takes_it(libraries) -> None:
    # Seen to fail without the odd row, and with an odd number of records left odd.
    parts = (ctypes.c_int64 * 2)()
    for conductor, generator in conductors():
        libraries["transmission"].transmission_workspace_parts(ctypes.byref(conductor), None, parts)
        found = transmission_workspace(conductor)
        assert (found.near, found.far) == (8 * parts[0], 8 * parts[1])
        inputs = LayerInputs(most=int(generator.integers(1, conductor.sites + 1)))
        libraries["greens_function"].greens_workspace_parts(ctypes.byref(conductor), ctypes.byref(inputs), parts)
        found = greens_workspace(conductor, inputs.most)
        assert (found.near, found.far) == (8 * parts[0], 8 * parts[1])
        libraries["lyapunov"].bars_workspace_parts(ctypes.byref(conductor), None, parts)
        found = bar_workspace(conductor)
        assert (found.near, found.far) == (8 * parts[0], 8 * parts[1])


def test_constants_that_both_languages_write_down_are_the_same() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in sorted(kernel_folder().glob("*.cu*")))
    for name, value in (("MOST_THREADS", MOST_THREADS), ("FIELDS", FIELDS), ("TILE", TILE)):
        assert set(re.findall(rf"^#define {name} (\d+)", text, re.MULTILINE)) == {str(value)}
    for program in PROGRAMS:
        source = (kernel_folder() / program.source).read_text(encoding="utf-8")
        assert sorted(re.findall(r"^ +(\w+)\(Conductor s", source, re.MULTILINE)) == sorted(program.entries)


def strip(width: int, record: int = 1) -> Conductor:
    return Conductor(sites=width, spins=1, channels=width, slots=8, record=record)


def test_the_nearest_memory_that_holds_the_workspace_is_taken() -> None:
    hopper = PUBLISHED[90]

    def entry(conductor: Conductor) -> str:
        return place(TRANSMISSION.entries, transmission_workspace(conductor), hopper, REGISTERS).entry

    assert [entry(strip(width)) for width in (1, 32, 64, 128)] == [
        "transmission_shared",
        "transmission_shared",
        "transmission_split",
        "transmission_global",
    ]
    assert entry(strip(44)) == "transmission_shared"
    assert entry(strip(44, record=18)) == "transmission_split"  # the records take what was left
    for limits in PUBLISHED.values():
        for width in range(1, 200, 7):
            workspace = transmission_workspace(strip(width))
            layout = place(TRANSMISSION.entries, workspace, limits, REGISTERS)
            assert layout.shared + layout.global_bytes == workspace.near + workspace.far
            assert layout.shared <= limits.shared_block
            assert layout.blocks >= 1
            assert 0 < layout.occupancy <= 1


def test_a_kernel_with_two_entries_has_all_of_its_workspace_in_one_memory() -> None:
    for width, entry in ((20, "lyapunov_shared"), (150, "lyapunov_global")):
        workspace = bar_workspace(strip(width))
        layout = place(LYAPUNOV.entries, workspace, PUBLISHED[90], REGISTERS)
        assert (layout.entry, workspace.far) == (entry, 0)
        assert layout.shared + layout.global_bytes == workspace.near


def test_residence_is_bounded_by_each_resource_in_turn() -> None:
    plenty = Limits(registers=65536, warps=64, blocks=32, shared=228 * 1024, shared_block=227 * 1024)
    assert resident_blocks(32, 0, 32, plenty) == 32  # blocks
    assert resident_blocks(256, 0, 32, plenty) == 8  # warps
    assert resident_blocks(32, 0, 255, plenty) == 8  # registers: 2 warps of 8192 in each quarter of 16384
    assert resident_blocks(256, 0, 255, plenty) == 1
    assert resident_blocks(32, 0, 168, plenty) == 12
    assert resident_blocks(32, 113 * 1024, 32, plenty) == 2  # shared memory, 1 KiB of it for the block itself
    assert resident_blocks(32, 113 * 1024 + 1, 32, plenty) == 1


def test_threads_are_whole_warps_within_what_the_kernels_are_compiled_for() -> None:
    for width in range(1, 300):
        assert threads_of(width) % 32 == 0
        assert 32 <= threads_of(width) <= MOST_THREADS
        assert threads_of(width) <= threads_of(width + 1)


def test_an_edited_source_is_compiled_anew() -> None:
    # CuPy's cache does not look into included files: the digest is what makes the difference.
    assert f"-DMESOGPU_SOURCE_DIGEST={source_digest()[:16]}" in compile_options()
