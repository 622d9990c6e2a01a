"""What no single key can say: combinations that make no sense.

The checks read the tree, not the validated document, so that they speak up beside every other mistake in the file.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mesogpu.config.diagnostics import Problems, shown
from mesogpu.config.disorder_rules import flux_objection, review_disorder
from mesogpu.config.method_rules import exponents_objection, hopping_objection, review_method
from mesogpu.config.model_rules import review_model, strength_objection, width_objection
from mesogpu.config.nodes import Node, as_index, whole
from mesogpu.config.review import Review


def review(root: Node, problems: Problems) -> Review:
    """Apply every rule but those of the sweep."""
    found = Review(root, problems)
    _check_schema(found)
    review_model(found)
    review_disorder(found)
    review_method(found)
    return found


def swept_objection(found: Review, path: str) -> Callable[[object], str]:
    """What is wrong in this document with a value of a swept path that the schema would take alone; "" for nothing."""
    if path == "model.width":
        return lambda width: width_objection(found, width) or exponents_objection(found, width)
    if path == "model.hopping":
        return partial(hopping_objection, found)
    if path == "model.spin_orbit.strength":
        return partial(strength_objection, found)
    section, _, rest = path.partition(".")
    position, _, key = rest.partition(".")
    index = as_index(position)
    if section == "disorder" and index is not None and found.scalar("disorder", index, "on") == "flux":
        return partial(flux_objection, key)
    return lambda _: ""


def _check_schema(found: Review) -> None:
    node = found.root.child("schema")
    # The schema would take true for 1.
    if node is None or whole(node.value) == 1:
        return
    version = whole(node.value)
    if version is not None and version > 1:
        message = f"{shown(version)} is newer than this version of mesogpu, which reads 1; install a newer mesogpu"
    else:
        named = "a section" if isinstance(node.value, dict | list) else shown(node.value)
        message = f"{named} is no version of this format; write schema: 1"
    found.refuse(node.place, ("schema",), message)
