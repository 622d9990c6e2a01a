"""Which GPUs a process may use, and which worker gets which."""

import subprocess
import sys

import pytest

from mesogpu.execute import devices
from mesogpu.execute.devices import parse_listing, spread, visible_devices

LISTING = """\
GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-5d5ba0d6-d33d-2b2c-524d-9e3d8d2b8a77)
  MIG 1g.5gb      Device  0: (UUID: MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f)
  MIG 1g.5gb      Device  1: (UUID: MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb)
GPU 1: NVIDIA H200 (UUID: GPU-acaa6a1b-1a35-dca5-46bb-aae02f7f0c2c)
"""


def never():
    raise AssertionError("the driver was asked")


@pytest.mark.parametrize(
    ("asked", "devices"),
    [
        ("0,1", ("0", "1")),
        (" 3 , 1 ", ("3", "1")),
        ("GPU-acaa6a1b,MIG-c6d4f1ef-42e4", ("GPU-acaa6a1b", "MIG-c6d4f1ef-42e4")),
        ("MIG-GPU-5d5ba0d6/1/0", ("MIG-GPU-5d5ba0d6/1/0",)),
        ("2,-1,0", ("2",)),
        ("1,1", ("1",)),
        ("", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
    ],
)
def test_the_variable_decides_as_it_does_for_cuda(asked, devices):
    assert visible_devices({"CUDA_VISIBLE_DEVICES": asked}, never) == devices


def test_without_the_variable_all_devices_of_the_driver_are_visible():
    assert visible_devices({}, lambda: ["GPU-a", "GPU-b"]) == ("GPU-a", "GPU-b")


# Seen to fail with the GPU listed beside its parts.
def test_a_gpu_in_parts_counts_as_its_parts():
    assert parse_listing(LISTING) == (
        "MIG-c6d4f1ef-42e4-5de3-91c7-45d71c87eb3f",
        "MIG-cba663e8-9bed-5b25-b243-5985ef7c9beb",
        "GPU-acaa6a1b-1a35-dca5-46bb-aae02f7f0c2c",
    )
    assert parse_listing("No devices found.\n") == ()


def test_without_nvidia_smi_the_drivers_list_in_proc_is_read(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(devices, "_DRIVER_LIST", tmp_path)
    assert devices.driver_devices() == ()
    for slot, uuid in (("0000:3b:00.0", "GPU-b"), ("0000:1a:00.0", "GPU-a")):
        (tmp_path / slot).mkdir()
        (tmp_path / slot / "information").write_text(f"Model: \t\t NVIDIA H200\nGPU UUID: \t {uuid}\n")
    assert devices.driver_devices() == ("GPU-a", "GPU-b")


def test_nvidia_smi_is_asked_first(monkeypatch, tmp_path):
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n[ \"$1\" = -L ] && cat <<'END'\n{LISTING}END\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert devices.driver_devices() == parse_listing(LISTING)


@pytest.mark.parametrize(
    ("workers", "places"),
    [(1, ("a",)), (2, ("a", "b")), (3, ("a", "b", "c")), (5, ("a", "b", "c", "a", "b"))],
)
def test_workers_take_the_first_gpus_and_share_them_round_robin(workers, places):
    assert spread(("a", "b", "c"), workers) == places
    assert spread((), workers) == (None,) * workers


def test_the_list_is_made_without_any_library_of_cuda_or_dask():
    script = (
        "import sys; from mesogpu.execute.devices import visible_devices; visible_devices()\n"
        "assert not {'cupy', 'dask', 'distributed'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
