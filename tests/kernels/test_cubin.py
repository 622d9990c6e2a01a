"""Every kernel source compiles for every architecture, without a GPU, and keeps its numbers in registers."""

from __future__ import annotations

import ctypes

import pytest

from mesogpu.backends.cuda import cubin
from mesogpu.backends.cuda.cubin import Cubin, compile_cubin
from mesogpu.backends.cuda.occupancy import PUBLISHED, place, resident_blocks
from mesogpu.backends.cuda.options import ENTRIES, MOST_THREADS
from mesogpu.backends.sources import kernel_folder
from mesogpu.errors import BackendUnavailable, EnvironmentFault

try:
    cubin.nvrtc_version()
except EnvironmentFault as missing:
    pytest.skip(f"{missing}", allow_module_level=True)

INCLUDED = sorted(path.name for path in kernel_folder().iterdir() if path.suffix in (".cuh", ".h"))
LARGEST_CUBIN = 2**20


@pytest.fixture(scope="module", params=sorted(PUBLISHED))
def transmission(request: pytest.FixtureRequest) -> Cubin:
    return compile_cubin("transmission.cu", request.param)


def test_the_transmission_kernel_compiles_for_each_architecture_without_spills(transmission, record_property) -> None:
    # Seen to fail with __launch_bounds__(1024), and with a run-time index into a tile.
    assert [entry.name for entry in transmission.entries] == sorted(ENTRIES)
    for entry in transmission.entries:
        record_property(f"sm_{transmission.architecture} {entry.name}", f"{entry.registers} registers")
        assert 32 < entry.registers <= 255
        assert (entry.spilled, entry.stack, entry.static_shared) == (0, 0, 0), entry
    assert "warning" not in transmission.log
    assert transmission.code[:4] == b"\x7fELF"
    assert len(transmission.code) < LARGEST_CUBIN


def test_a_full_block_fits_on_a_multiprocessor_of_each_architecture(transmission) -> None:
    limits = PUBLISHED[transmission.architecture]
    registers = {entry.name: entry.registers for entry in transmission.entries}
    for count in registers.values():
        assert resident_blocks(MOST_THREADS, 0, count, limits) >= 1
    for width in (10, 20, 32, 64, 128):
        assert place(width, width, 8, limits, registers).blocks >= 1


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


def test_the_printed_table_is_what_was_compiled(transmission, monkeypatch, capsys) -> None:
    from benchmarks import cubin as report

    monkeypatch.setattr(report, "compile_cubin", lambda *_: transmission)
    found = report.examine(transmission.architecture)
    report.print_architecture(found)
    printed = capsys.readouterr().out
    assert [layout["width"] for layout in found["layouts"]] == [10, 20, 32, 64, 128]
    for entry in transmission.entries:
        assert f"{entry.name} {entry.registers:>10} {0:>10}" in printed
