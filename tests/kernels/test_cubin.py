"""Every kernel source compiles for every architecture, without a GPU, and keeps its numbers in registers."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from mesogpu.backends.cuda import cubin
from mesogpu.backends.cuda.cubin import Cubin, compile_cubin
from mesogpu.backends.cuda.occupancy import PUBLISHED, resident_blocks
from mesogpu.backends.cuda.options import MOST_THREADS, PROGRAMS, TRANSMISSION
from mesogpu.backends.sources import kernel_folder
from mesogpu.errors import BackendUnavailable, EnvironmentFault

try:
    cubin.nvrtc_version()
except EnvironmentFault as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

INCLUDED = sorted(path.name for path in kernel_folder().iterdir() if path.suffix in (".cuh", ".h"))
LARGEST_CUBIN = 2**20


ARCHITECTURES = [pytest.param(architecture, marks=pytest.mark.slow) for architecture in sorted(PUBLISHED)]
"""A minute each; continuous integration takes one."""


@pytest.fixture(scope="module", params=ARCHITECTURES)
def cubins(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Cubin]]]:
    """Every kernel for an architecture; NVRTC takes a core for each."""
    compile_cubin("conductor.cuh", request.param)  # opens the library
    with ThreadPoolExecutor(2) as pool:
        yield {program.source: pool.submit(compile_cubin, program.source, request.param) for program in PROGRAMS}


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.source)
def test_every_kernel_compiles_for_each_architecture_without_spills(cubins, program, record_property) -> None:
    # Seen to fail with __launch_bounds__(1024), and with a run-time index into a tile.
    cubin = cubins[program.source].result()
    assert [entry.name for entry in cubin.entries] == sorted(program.entries)
    for entry in cubin.entries:
        record_property(f"sm_{cubin.architecture} {entry.name}", f"{entry.registers} registers")
        assert 32 < entry.registers <= 255
        assert (entry.spilled, entry.stack, entry.static_shared) == (0, 0, 0), entry
        assert resident_blocks(MOST_THREADS, 0, entry.registers, PUBLISHED[cubin.architecture]) >= 1
    assert "warning" not in cubin.log
    assert cubin.code[:4] == b"\x7fELF"
    assert len(cubin.code) < LARGEST_CUBIN


@pytest.mark.parametrize("source", INCLUDED)
def test_each_included_source_compiles_alone(source) -> None:
    assert compile_cubin(source, 90).entries == ()


def test_a_source_that_does_not_compile_is_an_error_with_the_compilers_words(tmp_path, monkeypatch) -> None:
    (tmp_path / "broken.cu").write_text("no such thing;\n", encoding="utf-8")
    monkeypatch.setattr(cubin, "kernel_folder", lambda: tmp_path)
    with pytest.raises(BackendUnavailable, match=r"broken\.cu: does not compile for sm_90: broken\.cu\(1\): error"):
        compile_cubin("broken.cu", 90)


def test_without_nvrtc_the_error_says_how_to_get_it(monkeypatch) -> None:
    def nothing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(cubin.importlib.util, "find_spec", lambda _: None)
    monkeypatch.setattr(ctypes, "CDLL", nothing)
    cubin._nvrtc.cache_clear()
    try:
        with pytest.raises(EnvironmentFault, match="pip install nvidia-cuda-nvrtc"):
            cubin.nvrtc_version()
    finally:
        cubin._nvrtc.cache_clear()


def test_the_printed_table_is_what_was_compiled(cubins, monkeypatch, capsys) -> None:
    from benchmarks import cubin as report

    transmission = cubins[TRANSMISSION.source].result()

    monkeypatch.setattr(report, "compile_cubin", lambda *_: transmission)
    found = report.examine(transmission.architecture)
    report.print_architecture(found)
    printed = capsys.readouterr().out
    assert [layout["width"] for layout in found["layouts"]] == [10, 20, 32, 64, 128]
    for entry in transmission.entries:
        assert f"{entry.name} {entry.registers:>10} {0:>10}" in printed
