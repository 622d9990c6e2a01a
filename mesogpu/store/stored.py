"""What a results file holds by its own account: the plan of the configuration in it."""

from __future__ import annotations

from dataclasses import replace

from mesogpu.errors import DamagedFileError, MesogpuError, StoreError
from mesogpu.plan import Plan, make_plan
from mesogpu.store.existing import Existing


def stored_plan(file: Existing) -> Plan:
    """The plan of a results file, with the number of realizations and the blocks that it has.

    raises : StoreError for a configuration that this version cannot read; DamagedFileError for one that is not of the
             experiment that the file says it holds
    """
    # The parser is slow to import, and few need it.
    from mesogpu.config.load import parse_experiment

    try:
        experiment = parse_experiment(str(file.attributes["config"]), f"{file.path}: config")
        plan = make_plan(experiment)
    except MesogpuError as error:
        raise StoreError(
            f"{file.path}: the configuration in it cannot be read by this version ({str(error).splitlines()[0]}); "
            f"install mesogpu {file.attributes['mesogpu_version']}, which made the file"
        ) from error
    if experiment.identity() != file.attributes["config_sha256"]:
        raise DamagedFileError(
            f"{file.path}: the configuration in it is not of the experiment whose hash stands beside it; something "
            "other than mesogpu has changed the file"
        )
    experiment = replace(experiment, realizations=file.realizations)
    return replace(plan, experiment=experiment, block_size=file.block_size)
