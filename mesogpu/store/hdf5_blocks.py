"""Blocks as HDF5 gives them: of a packed file the only way, of any other a second one."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mesogpu.store.layout import Layout
from mesogpu.store.variables import COMMIT


class Hdf5Blocks:
    """The blocks of a results file, byte for byte as `raw.BlockFile` has them.

    file   : open for reading
    layout : what the file holds
    """

    def __init__(self, file: h5py.File, layout: Layout) -> None:
        self.layout = layout
        # Kept open: with a dataset HDF5 closes what it has unpacked of it.
        self._commit = file[COMMIT.name]
        self._datasets = [(variable.dims, file[variable.name]) for variable in layout.results]

    def entries(self) -> NDArray[Any]:
        """The commit table, (points, blocks) of {state u4, crc32c u4}."""
        return np.asarray(self._commit[()])

    def read(self, point: int, block: int) -> list[bytes]:
        """The bytes of a block, one item a variable.

        raises : OSError where HDF5 finds a chunk damaged
        """
        first = block * self.layout.block_size
        part: dict[str, Any] = {"point": point, "block": slice(block, block + 1)}
        part["realization"] = slice(first, first + self.layout.rows(block))
        return [
            dataset[tuple(part.get(dim, slice(None)) for dim in dims)].tobytes() for dims, dataset in self._datasets
        ]
