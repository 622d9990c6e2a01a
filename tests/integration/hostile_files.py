"""Results files as somebody might make them who means harm, or a program that knows no better.

As a script it lets every command read files with little memory: `hostile_files.py CONFIG FILE...` prints for each a
line of JSON: {"file":, "command":, "code":, "said":}.
"""

from __future__ import annotations

import json
import resource
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from mesogpu.store.manifest import Manifest, manifest_path

MEMORY = 400_000_000
"""Bytes that a command may take beyond those of its libraries."""

COMMANDS = ("status", "analyze", "plot", "open_results", "verify", "run", "repair")

_END_IN_HEADER = 40

Change = Callable[[h5py.File], None]
BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
COMMAND = "!!python/object/apply:os.system ['touch executed']\n"


def _replaced(name: str, make: Callable[[h5py.File], object]) -> Change:
    def change(file: h5py.File) -> None:
        del file[name]
        make(file)

    return change


def _dataset(name: str, *arguments: Any, **options: Any) -> Change:
    return _replaced(name, lambda file: file.create_dataset(name, *arguments, **options))


def _link(name: str, link: object) -> Change:
    def make(file: h5py.File) -> None:
        file[name] = link

    return _replaced(name, make)


def _attribute(name: str, value: object) -> Change:
    def change(file: h5py.File) -> None:
        file.attrs[name] = value

    return change


def _into_itself(file: h5py.File) -> None:
    file["conductance"] = file["/"]


def _virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout((2, 2, 200), "<f8")
    layout[...] = h5py.VirtualSource("secret.h5", "x", (2, 2, 200))
    file.create_virtual_dataset("conductance", layout)


def _parameter_elsewhere(file: h5py.File) -> None:
    file["elsewhere"] = h5py.ExternalLink("secret.h5", "/")
    file["commit"].attrs["coordinates"] = "elsewhere/x"


def _references(file: h5py.File) -> None:
    dataset = file.create_dataset("conductance", (2, 2, 200), h5py.ref_dtype)
    dataset[0, 0, 0] = file["/"].ref


HOSTILE: dict[str, Change] = {
    "huge array": _dataset("conductance", (2, 2, 10**13), "<f8"),
    "huge everything": _dataset("realization", (2**40,), "<f4"),
    "huge commit table": _dataset("commit", (10**6, 10**6), [("state", "<u4"), ("crc32c", "<u4")]),
    "huge coordinate": _dataset("slices", (10**6, 10**6), "<i4"),
    "huge chunks": _dataset("conductance", (2, 2, 200), "<f8", chunks=(1, 1, 10**8), maxshape=(2, 2, None)),
    "other floats": _dataset("conductance", (2, 2, 200), "<f4"),
    "other table": _dataset("commit", (2, 13), "<u8"),
    "texts for numbers": _dataset("status", (2, 2, 200), h5py.string_dtype()),
    "lists for numbers": _dataset("status", (2, 2, 200), h5py.vlen_dtype(np.float64)),
    "references for numbers": _replaced("conductance", _references),
    "fewer dimensions": _dataset("conductance", (800,), "<f8"),
    "other encoding": _dataset("conductance", (2, 2, 200), "<f8", compression="lzf"),
    "link to another file": _link("conductance", h5py.ExternalLink("secret.h5", "/x")),
    "link to itself": _link("conductance", h5py.SoftLink("/conductance")),
    "link to another array": _link("conductance", h5py.SoftLink("/log_conductance")),
    "bytes of another file": _dataset("conductance", (2, 2, 200), "<f8", external=[("secret.h5", 0, 6400)]),
    "view of another file": _replaced("conductance", _virtual),
    "group for an array": _replaced("conductance", lambda file: file.create_group("conductance")),
    "root in itself": _replaced("conductance", _into_itself),
    "parameter in another file": _parameter_elsewhere,
    "no array": lambda file: file.__delitem__("log_conductance"),
    "absurd text": _attribute("config", "x" * 30_000_000),
    "list of texts": _attribute("signature", ["x" * 1000] * 20),
    "text for a number": _attribute("block_size", "sixteen"),
    "no block size": _attribute("block_size", 0),
    "negative block size": _attribute("block_size", -16),
    "huge block size": _attribute("block_size", 2**62),
    "unknown method": _attribute("method", "../../etc/passwd"),
    "YAML bomb": _attribute("config", BOMB),
    "YAML that runs a command": _attribute("config", COMMAND),
    "YAML of another experiment": _attribute("config", "schema: 1\nname: other\n"),
}


def _lying(**changes: Any) -> Callable[[Manifest], dict[str, Any]]:
    return lambda manifest: vars(manifest) | changes


LYING: dict[str, Callable[[Manifest], dict[str, Any]]] = {
    "offsets beyond the file": lambda m: vars(m) | {"offsets": dict.fromkeys(m.offsets, m.size - 1)},
    "offsets at the end of the world": lambda m: (
        vars(m) | {"size": 2**62, "offsets": dict.fromkeys(m.offsets, 2**62 - 8)}
    ),
    "arrays over each other": lambda m: vars(m) | {"offsets": dict.fromkeys(m.offsets, 8192)},
    "no arrays": _lying(offsets={}),
    "arrays of other names": _lying(offsets={"../../etc/passwd": 0}),
    "another size": _lying(size=2**62),
    "bomb in it": lambda m: vars(m) | {"attributes": {**m.attributes, "config": BOMB}},
    "command in it": lambda m: vars(m) | {"attributes": {**m.attributes, "config": COMMAND}},
    "huge blocks": lambda m: vars(m) | {"attributes": {**m.attributes, "block_size": 2**62}},
}
"""Manifests that are well-formed, with the hash of their own contents, and lie."""

GARBAGE: dict[str, bytes] = {
    "deep nesting": b"[" * 2_000_000,
    "huge manifest": b'{"config": "' + b"x" * 40_000_000 + b'"}',
    "not a manifest": b"\x00\xff" * 100,
    "numbers for texts": b'{"format_version": 1e999, "attributes": 3, "offsets": [], "size": -1}',
}


BEYOND = "array that ends beyond the file"


def change(path: Path, how: Change) -> None:
    """Change a results file through HDF5."""
    path.chmod(0o644)
    with h5py.File(path, "r+", locking=False) as file:
        how(file)


def reach_beyond(path: Path) -> None:
    """Give a results file an array of which it has eight bytes, in a header that says that this is all right.

    The oldest header has no checksum of its own, and so can be made to tell any size.
    """
    forged = path.with_name("forged.h5")
    with h5py.File(path) as source, h5py.File(forged, "w", libver=("earliest", "v108")) as target:
        for name in source:
            if name != "conductance":
                source.copy(name, target, expand_refs=False)
        target.attrs.update(source.attrs)
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
        properties.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
        space = h5py.h5s.create_simple((2, 2, 200))
        h5py.h5d.create(target.id, b"conductance", h5py.h5t.IEEE_F64LE, space, properties)
        end = h5py.Dataset(target["conductance"].id).id.get_offset() + 8
    content = bytearray(forged.read_bytes())
    content[_END_IN_HEADER : _END_IN_HEADER + 8] = struct.pack("<Q", end)
    path.write_bytes(content[:end])
    forged.unlink()


def lie(path: Path, how: Callable[[Manifest], dict[str, Any]]) -> None:
    """Replace the manifest of a results file by one that lies."""
    place = manifest_path(path)
    manifest = Manifest.load(place)
    Manifest(**how(manifest)).save(place)


def _main(config: str, *files: str) -> None:
    from click.testing import CliRunner

    from mesogpu.cli.commands import main

    def invoke(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, arguments)
        return result.exit_code, result.output

    invoke("analyze", files[0])
    invoke("plot", files[0], "-o", "warm.png")
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, used + MEMORY))
    options = {
        "analyze": ("--json",),
        "plot": ("-o", "figure.png"),
        "verify": ("--digest",),
        "repair": ("--repair",),
        "run": ("--backend", "numpy", "--workers", "1"),
    }
    for file in files[1:]:
        # A manifest that lies concerns those alone that read it.
        commands = ("status", "verify", "run", "repair") if file.startswith("lie") else COMMANDS
        for command in commands:
            if command == "open_results":
                code, said = _opened(file)
            elif command == "run":
                code, said = invoke("run", config, "-o", file, *options["run"])
            else:
                code, said = invoke("verify" if command == "repair" else command, file, *options.get(command, ()))
            print(json.dumps({"file": file, "command": command, "code": code, "said": said[-500:]}))  # noqa: T201


def _opened(file: str) -> tuple[int, str]:
    from mesogpu import open_results
    from mesogpu.errors import MesogpuError

    try:
        open_results(file).load()
    except MesogpuError as error:
        return error.exit_code, str(error)
    return 0, ""


if __name__ == "__main__":
    _main(*sys.argv[1:])
