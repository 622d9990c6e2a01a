"""Blocks as HDF5 gives them: of a packed file the only way, of any other a second one."""

from __future__ import annotations

from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mesogpu.errors import DamagedFileError
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
        """The commit table, (points, blocks) of {state u4, crc32c u4}; raises as `read`."""
        return self._part(self._commit, ())

    def read(self, point: int, block: int) -> list[bytes]:
        """The bytes of a block, one item a variable; raises as `read_run`."""
        return self.read_run(point, block, 1)[0]

    def read_run(self, point: int, first: int, count: int) -> list[list[bytes]]:
        """The bytes of neighbouring blocks of a point, as `read` gives those of one.

        raises : DamagedFileError where HDF5 finds a chunk damaged; OSError where the disk refuses
        """
        size = self.layout.block_size
        rows = slice(first * size, min((first + count) * size, self.layout.sizes["realization"]))
        place = {"point": point, "block": slice(first, first + count), "realization": rows}
        runs: list[list[bytes]] = [[] for _ in range(count)]
        for dims, dataset in self._datasets:
            values = self._part(dataset, tuple(place.get(dim, slice(None)) for dim in dims))
            axis, step = (dims.index("block"), 1) if "block" in dims else (dims.index("realization"), size)
            for number, parts in enumerate(runs):
                own = (slice(None),) * (axis - 1) + (slice(number * step, (number + 1) * step),)
                parts.append(values[own].tobytes())
        return runs

    @staticmethod
    def _part(dataset: h5py.Dataset, place: tuple[Any, ...]) -> NDArray[Any]:
        try:
            return np.asarray(dataset[place])
        except (OSError, RuntimeError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise DamagedFileError(f"{dataset.name}: HDF5 finds it damaged ({error})") from error
