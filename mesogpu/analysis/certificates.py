"""What the certificates and the audit say of a results file: counts by status, the largest deviation, the failures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mesogpu.analysis.samples import FIRST_FAILURE, UNCOMPUTED, chunks, require_variables
from mesogpu.analysis.stored import sweep_parameters
from mesogpu.plan.blocks import Status

if TYPE_CHECKING:
    import xarray

MOST_FAILURES = 50
"""Failed samples that are named one by one."""

CODES = 256
"""Values of a status byte."""

NAMES = {int(status): status.name.lower() for status in Status}


def certificates(results: xarray.Dataset) -> dict[str, Any]:
    """How the samples of a results file were certified.

    results : as `open_results` gives it
    returns : plain data, ready for JSON. "samples" planned and "computed"; "statuses", how many of each by name, those
              that occur; "redone", share of the computed that took a second pass, None of none; "failed" and the first
              "failures", each with parameters, length, realization and status; "audit" with the "largest" deviation,
              None where nothing is audited, its "units", and how many of the committed "blocks" are "audited"
    raises  : StoreError where the dataset has no status
    """
    require_variables(results, ("status", "slices"))
    counts = np.zeros(CODES, dtype=np.int64)
    failures: list[dict[str, Any]] = []
    parameters, slices = sweep_parameters(results), results["slices"].to_numpy()
    for points, spans in chunks(results, results.sizes["length"]):
        for span in spans:
            rows = results["status"].isel(point=slice(points.start, points.stop), realization=span)
            status = rows.to_numpy()
            counts += np.bincount(status.ravel(), minlength=CODES)
            for point, length, row in _failed(status)[: MOST_FAILURES - len(failures)].tolist():
                failures.append(
                    {
                        "parameters": parameters[points.start + point],
                        "length": int(slices[points.start + point, length]),
                        "realization": span.start + row,
                        "status": _name(int(status[point, length, row])),
                    }
                )
    computed = int(counts.sum() - counts[UNCOMPUTED])
    second = int(counts[Status.REDONE] + counts[Status.ORACLE])
    return {
        "samples": int(counts.sum()),
        "computed": computed,
        "statuses": {_name(int(code)): int(counts[code]) for code in np.flatnonzero(counts)},
        "redone": second / computed if computed else None,
        "failed": int(counts[FIRST_FAILURE:UNCOMPUTED].sum()),
        "failures": failures,
        "audit": _audit(results),
    }


def _failed(status: NDArray[np.integer]) -> NDArray[np.int64]:
    """(failures, 3) point, length and realization of each failed sample."""
    return np.argwhere((status >= FIRST_FAILURE) & (status < UNCOMPUTED))


def _name(code: int) -> str:
    return NAMES.get(code, f"unknown_{code}")


def _audit(results: xarray.Dataset) -> dict[str, Any]:
    if "audit_deviation" not in results:
        return {"largest": None, "units": "", "audited": 0, "blocks": 0}
    largest = np.asarray(results["audit_deviation"].max("length").to_numpy())
    found = largest[np.isfinite(largest)]
    return {
        "largest": float(found.max()) if found.size else None,
        "units": str(results["audit_deviation"].attrs.get("units", "")),
        "audited": int(found.size),
        "blocks": int(largest.size),
    }
