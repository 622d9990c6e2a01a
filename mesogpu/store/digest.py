"""One number for all that a results file says: equal for files with the same results, however they are kept."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence

import numpy as np

from mesogpu.store.layout import Layout


class ContentsDigest:
    """SHA-256 of the canonical contents of a results file.

    Hashed are, one after the other, texts in UTF-8 with a zero byte behind each, numbers little-endian:

    1. the text "mesogpu results 1" and the identity of the experiment (the attribute `config_sha256`);
    2. of every coordinate in file order (dimensions, sweep parameters, channels, slices): its name, its type as NumPy
       writes it ("<f8"), its number of axes and their extents (u8 each), its values in C order;
    3. of every variable that blocks hold, in file order: its name and its type;
    4. of every committed block, points first, in canonical order: number of the point and of the block (u4 each), and
       for each of the variables the block's share of it in C order.

    Versions, the commit, the arithmetic signature, the name of the experiment and the run log have no part in it.

    identity : of the experiment, 64 hexadecimal digits
    layout   : what the file holds
    """

    def __init__(self, identity: str, layout: Layout) -> None:
        self._hash = hashlib.sha256()
        self._text("mesogpu results 1", identity)
        for variable, values in layout.coordinates:
            array = np.ascontiguousarray(values, variable.dtype)
            self._text(variable.name, array.dtype.str)
            self._hash.update(struct.pack(f"<{1 + array.ndim}Q", array.ndim, *array.shape))
            self._hash.update(array.tobytes())
        for variable in layout.results:
            self._text(variable.name, np.dtype(variable.dtype).str)

    def add(self, point: int, block: int, parts: Sequence[bytes]) -> None:
        """Take in the next committed block.

        parts : its bytes, one item a variable, as `raw.BlockFile.read` and `Hdf5Blocks.read` give them
        """
        self._hash.update(struct.pack("<II", point, block))
        for part in parts:
            self._hash.update(part)

    def hexdigest(self) -> str:
        """The digest, 64 hexadecimal digits."""
        return self._hash.hexdigest()

    def _text(self, *texts: str) -> None:
        for text in texts:
            self._hash.update(text.encode() + b"\0")
