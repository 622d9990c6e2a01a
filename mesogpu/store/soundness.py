"""What contradicts what: a results file, its manifest, and the configuration that decides all but the blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from mesogpu.store.evidence import FROM_MANIFEST, Evidence, Truth
from mesogpu.store.existing import MALFORMED
from mesogpu.store.manifest import hash_outside, manifest_path
from mesogpu.store.provenance import file_attributes
from mesogpu.store.structure import text_attribute
from mesogpu.store.variables import COMMIT

_FROM_THE_CONFIG: Final = ("filetype", "config_sha256", "method", "seed", "degeneracy")
_SHOWN: Final = 5


def faults_of_files(evidence: Evidence, true: Truth | None) -> list[str]:
    """What is wrong with the two files as such: one is missing, or cannot be read at all."""
    faults = []
    name = manifest_path(evidence.path).name
    if not evidence.packed and evidence.manifest is None:
        faults.append(f"its manifest {name} {evidence.unusable}")
    elif not evidence.packed and (true is None or true.source != FROM_MANIFEST):
        faults.append(f"its manifest {name} contradicts itself")
    if true is None and evidence.unreadable:
        faults.append(evidence.unreadable)
    return faults


def faults_of_structure(evidence: Evidence, true: Truth) -> list[str]:
    """Everything outside the blocks that is not as it should be."""
    if not evidence.there:
        return ["the file is missing"]
    faults = []
    manifest = evidence.manifest if true.source == FROM_MANIFEST else None
    if manifest and evidence.size != manifest.size:
        change = "cut short" if evidence.size < manifest.size else "lengthened"
        faults.append(f"it was {change}: it has {evidence.size} bytes, it was created with {manifest.size}")
    elif manifest and true.offsets:
        arrays = (COMMIT, *true.layout.results)
        extents = [(true.offsets[each.name], true.layout.nbytes(each)) for each in arrays]
        if hash_outside(evidence.descriptor, extents) != manifest.metadata_sha256:
            faults.append("bytes outside its blocks are not those that were created")
    if evidence.unreadable and not faults:
        faults.append(evidence.unreadable)
    try:
        return faults + list(_contradictions(evidence, true))
    except MALFORMED as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        return [*faults, f"HDF5 cannot read its coordinates ({error})"]


def _contradictions(evidence: Evidence, true: Truth) -> Iterator[str]:
    """Where HDF5 reads something else than the configuration and the manifest ask for."""
    structure, file = evidence.structure, evidence.hdf5
    if structure is None or file is None:
        return
    recomputed = file_attributes(true.plan, config_text="", signature="")
    expected = dict(true.attributes) | {name: recomputed[name] for name in _FROM_THE_CONFIG}
    wrong = [name for name, value in expected.items() if structure.attributes.get(name) != value]
    if wrong or len(file.attrs) != len(expected):
        yield f"its attributes are not those of its experiment: {', '.join(wrong[:_SHOWN]) or 'there are others too'}"
    if structure.sizes != true.layout.sizes or structure.results != true.layout.results:
        yield "its arrays are not those of its experiment"
        return
    if not structure.packed and structure.offsets != true.offsets:
        yield "its arrays do not lie where they were created"
    if structure.parameters != tuple(true.layout.parameters):
        yield "its sweep parameters are not those of its experiment"
        return
    for variable, values in true.layout.coordinates:
        dataset = file[variable.name]
        if not np.array_equal(dataset[()], values) or text_attribute(dataset, "units") != variable.units:
            yield f"its coordinate {variable.name} is not that of its experiment"
