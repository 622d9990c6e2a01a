"""`mesogpu doctor` on this machine, whatever it has."""

from __future__ import annotations

import json

from click.testing import CliRunner

from mesogpu.cli.commands import main


def test_doctor_says_which_backends_work_and_what_the_others_lack():
    result = CliRunner().invoke(main, ["doctor", "--json"])
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    found = {backend["name"]: backend for backend in report["backends"]}
    assert list(found) == ["cuda", "native", "numpy"]
    assert found["numpy"]["works"]
    assert "float64" in found["numpy"]["detail"]
    assert report["auto"] == next(name for name, backend in found.items() if backend["works"])
    assert all(backend["detail"] for backend in found.values())
    assert report["workers"] >= 1
    assert report["disk_free_here"] > 0


def test_doctor_for_people_names_every_backend():
    result = CliRunner().invoke(main, ["doctor"])
    assert result.exit_code == 0
    for name in ("--backend cuda", "--backend native", "--backend numpy", "--backend auto"):
        assert name in result.stdout
