"""One conductor of every lattice and model, written down in full, and what Kwant says of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from models import block

from mesogpu.physics import disorder
from mesogpu.physics.disorder import Law
from mesogpu.physics.lattices import Lattice
from mesogpu.physics.spin import SpinOrbit
from mesogpu.physics.systems import System
from mesogpu.plan import Block

DATA = Path(__file__).parents[1] / "data" / "kwant_models.json"


def stored_models() -> list[tuple[str, Block, np.ndarray]]:
    """Name, sample and transmission eigenvalues."""
    cases = json.loads(DATA.read_text(encoding="utf-8"))["cases"]
    return [(case["model"], _sample(case), np.array(case["eigenvalues"])) for case in cases]


def _sample(case: dict[str, Any]) -> Block:
    lattice = case["lattice"]
    system = System(
        lattice=Lattice(lattice["kind"], lattice["width"], lattice["depth"], tuple(lattice["periodic"])),
        hopping=case["hopping"],
        flux=case["flux"],
        energy=case["energy"],
        lead_potential=case["lead_potential"],
        lead_flux=case["lead_flux"],
        laws=tuple(_law(dict(law)) for law in case["laws"]),
        spin_orbit=case["spin_orbit"] and SpinOrbit(*case["spin_orbit"]),
        lead_spin_orbit=case["lead_spin_orbit"],
        zeeman=case["zeeman"] and tuple(case["zeeman"]),
    )
    return block(system, (case["length"],), first=case["realization"], count=1, seed=case["seed"])


def _law(fields: dict[str, Any]) -> Law:
    kind = getattr(disorder, fields.pop("law"))
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()})
