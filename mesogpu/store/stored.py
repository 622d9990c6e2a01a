"""What a results file holds by its own account: the plan of the configuration in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from mesogpu.config.experiment import Experiment
from mesogpu.errors import DamagedFileError, MesogpuError, StoreError
from mesogpu.plan import Part, Plan, make_plan
from mesogpu.plan.cost import LARGEST_BLOCK
from mesogpu.plan.points import count_points
from mesogpu.store.existing import Existing
from mesogpu.store.provenance import PART


def stored_plan(file: Existing) -> Plan:
    """The plan of a results file, with the number of realizations and the blocks that it has.

    raises : as `plan_of`
    """
    plan = plan_of(file.attributes, file.path, file.sizes)
    if plan.part:
        return plan
    return replace(plan, experiment=replace(plan.experiment, realizations=file.realizations))


def plan_of(attributes: Mapping[str, Any], where: Path, sizes: Mapping[str, int] | None = None) -> Plan:
    """The plan that root attributes tell, with their blocks.

    where  : what messages call their source
    sizes  : extents of the file's dimensions; a plan that could not have them is not made
    raises : StoreError for a configuration that this version cannot read; DamagedFileError for one that is not of the
             experiment whose hash stands beside it, or of a file with other extents
    """
    block_size = attributes["block_size"]
    if not isinstance(block_size, int) or not 0 < block_size <= LARGEST_BLOCK:
        raise DamagedFileError(f"{where}: has blocks of {block_size!r} realizations, there are 1 to {LARGEST_BLOCK}")
    try:
        experiment = _experiment(str(attributes["config"]), f"{where}: config")
        part = Part.parse(str(attributes[PART])) if PART in attributes else None
        points = part.points if part else count_points(experiment)
        same = experiment.identity() == attributes["config_sha256"]
        if not same or (sizes and points != sizes["point"]):
            raise DamagedFileError(
                f"{where}: the configuration in it is not of the experiment that it holds; something other than "
                "mesogpu has changed the file"
            )
        plan = replace(make_plan(experiment), block_size=block_size)
        return plan.only(part) if part else plan
    except DamagedFileError:
        raise
    except ValueError as error:
        raise DamagedFileError(
            f"{where}: says that it is a part of a run, and of none that there could be ({error})"
        ) from error
    except MesogpuError as error:
        raise StoreError(
            f"{where}: the configuration in it cannot be read by this version ({str(error).splitlines()[0]}); "
            f"install mesogpu {attributes['mesogpu_version']}, which made the file"
        ) from error


@lru_cache(maxsize=1)
def _experiment(text: str, where: str) -> Experiment:
    # The parser is slow to import, and few need it.
    from mesogpu.config.load import parse_experiment

    return parse_experiment(text, where)
