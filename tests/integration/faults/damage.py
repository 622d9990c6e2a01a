"""What may happen to a results file that lies on a disk for years, or is copied by hand."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from mesogpu.store.existing import find

PAGE = 4096

Damage = Callable[[Path, random.Random], str]
"""Damages the file or its manifest; says where. The file is writable, as for who copied it."""


def manifest_of(path: Path) -> Path:
    return Path(f"{path}.manifest.json")


def spoil(path: Path, name: str, place: int = 0, value: bytes | None = None) -> None:
    """Change bytes of an array: one bit, or all of `value`."""
    structure = find(path)
    assert structure is not None
    content = bytearray(path.read_bytes())
    start = structure.offsets[name] + place
    content[start : start + len(value or b"x")] = value or bytes([content[start] ^ 1])
    path.write_bytes(content)


def behead(path: Path) -> None:
    """Zero what HDF5 needs to open the file at all."""
    content = path.read_bytes()
    path.write_bytes(content[:8] + bytes(200) + content[208:])


def flip(path: Path, rng: random.Random, first: int = 0, last: int | None = None) -> str:
    """One bit."""
    content = bytearray(path.read_bytes())
    place = rng.randrange(first, len(content) if last is None else last)
    content[place] ^= 1 << rng.randrange(8)
    path.write_bytes(content)
    return f"a bit of byte {place}"


def flip_in_the_header(path: Path, rng: random.Random) -> str:
    """HDF5's own structures, attributes, coordinates, commit table: the small part that matters most."""
    return flip(path, rng, 0, 20 * PAGE)


def cut(path: Path, rng: random.Random) -> str:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.truncate(rng.randrange(size))
    return f"cut to {path.stat().st_size} of {size} bytes"


def zero_a_page(path: Path, rng: random.Random) -> str:
    return _replace_page(path, rng, lambda count: bytes(count))


def garble_a_page(path: Path, rng: random.Random) -> str:
    return _replace_page(path, rng, rng.randbytes)


def lose_the_manifest(path: Path, rng: random.Random) -> str:
    del rng
    manifest_of(path).unlink()
    return "no manifest"


def flip_in_the_manifest(path: Path, rng: random.Random) -> str:
    return f"manifest: {flip(manifest_of(path), rng)}"


def cut_the_manifest(path: Path, rng: random.Random) -> str:
    return f"manifest: {cut(manifest_of(path), rng)}"


def lose_the_file(path: Path, rng: random.Random) -> str:
    del rng
    path.unlink()
    return "no file"


KINDS: tuple[Damage, ...] = (
    flip,
    flip_in_the_header,
    cut,
    zero_a_page,
    garble_a_page,
    lose_the_manifest,
    flip_in_the_manifest,
    cut_the_manifest,
    lose_the_file,
)


def _replace_page(path: Path, rng: random.Random, new: Callable[[int], bytes]) -> str:
    """One page that is changed by it: some are zero as they are."""
    content = path.read_bytes()
    while True:
        start = rng.randrange(-(-len(content) // PAGE)) * PAGE
        page = content[start : start + PAGE]
        if new(len(page)) != page:
            path.write_bytes(content[:start] + new(len(page)) + content[start + PAGE :])
            return f"page at byte {start}"
