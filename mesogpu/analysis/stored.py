"""What a results file says of its experiment, and a summary made ready for JSON."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mesogpu.config.experiment import Experiment
from mesogpu.errors import StoreError
from mesogpu.physics.systems import System
from mesogpu.plan.points import points

if TYPE_CHECKING:
    import xarray


def stored_experiment(results: xarray.Dataset) -> Experiment | None:
    """The experiment whose configuration is in the file; None where there is no configuration.

    raises : ConfigError where it cannot be read
    """
    text = results.attrs.get("config")
    if text is None:
        return None
    # The parser is slow to import and only needed where the caller has no experiment at hand.
    from mesogpu.config.load import parse_experiment

    return parse_experiment(str(text), "config stored in the results")


def sweep_parameters(results: xarray.Dataset) -> list[dict[str, float]]:
    """Sweep parameters of every point: the coordinates along `point`."""
    coordinates = {str(name): coordinate for name, coordinate in results.coords.items() if name != "point"}
    columns = {name: axis.to_numpy().tolist() for name, axis in coordinates.items() if axis.dims == ("point",)}
    return [{name: values[k] for name, values in columns.items()} for k in range(results.sizes["point"])]


def systems(experiment: Experiment, count: int) -> list[System]:
    """The physics of the experiment's points.

    count  : points stored
    raises : StoreError where the stored points are not the experiment's
    """
    found = [point.system for point in points(experiment)]
    if len(found) != count:
        raise StoreError(
            f"results: {count} sweep points, but the experiment stored with them has {len(found)}; "
            "analyze the file that `mesogpu run` wrote, or pass its own experiment"
        )
    return found


def json_ready(value: Any) -> Any:
    """The same data with None for every number that is not finite."""
    if isinstance(value, dict):
        return {key: json_ready(item) for key, item in value.items()}
    if isinstance(value, list):
        return [json_ready(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
