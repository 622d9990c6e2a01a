"""The command line as its user meets it: outputs, exit codes, and what goes where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import mesogpu
from mesogpu import errors
from mesogpu.cli.commands import main

CONFIG = """\
schema: 1
name: wire
seed: 7
model:
  lattice: square
  width: 4
  length: [4, 8]
disorder:
  - {distribution: uniform, width: 1.0}
energy: 0.3
sweep:
  flux: [0.0, 0.01]
realizations: 24
observables: [transmission_eigenvalues, shot_noise]
"""


ORACLE = ("--backend", "numpy", "--workers", 1)


def invoke(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments], catch_exceptions=False)


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    path = tmp_path / "wire.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Results file of CONFIG."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "wire.yaml").write_text(CONFIG)
    result = invoke("run", folder / "wire.yaml", "-o", folder / "wire.h5", *ORACLE)
    assert result.exit_code == 0, result.output
    return folder / "wire.h5"


def test_run_ends_with_the_table_and_the_figure(config: Path) -> None:
    result = invoke("run", config, *ORACLE)
    assert result.exit_code == 0
    assert Path("wire.h5").is_file()
    assert Path("wire.png").read_bytes().startswith(b"\x89PNG")
    assert "Figure: wire.png" in result.stdout
    assert "backend numpy" in result.stderr
    assert "mesogpu analyze wire.h5" in result.stderr


def test_run_writes_no_control_characters_into_a_pipe(config: Path) -> None:
    # Seen to fail with tables drawn by a rich console that was forced to take the pipe for a terminal.
    assert "\x1b" not in invoke("run", config, *ORACLE).output


def test_quiet_run_says_results_only(config: Path) -> None:
    for arguments in (("run", "-q", config), ("-q", "run", config)):
        result = invoke(*arguments, *ORACLE)
        assert result.exit_code == 0
        assert result.stderr == ""
        assert "Figure: wire.png" in result.stdout


def test_run_of_a_complete_file_says_so_and_shows_it(config: Path) -> None:
    first = invoke("run", config, *ORACLE)
    before = Path("wire.h5").read_bytes()
    second = invoke("run", config, *ORACLE)
    assert second.exit_code == 0
    assert "complete already" in second.stderr
    assert second.stdout == first.stdout
    assert Path("wire.h5").read_bytes() == before


def test_set_replaces_a_value(config: Path) -> None:
    assert invoke("run", config, *ORACLE, "--set", "realizations=8", "-o", "small.h5").exit_code == 0
    assert json.loads(invoke("status", "small.h5", "--json").stdout)["total"] == 16


def test_run_refuses_a_file_of_another_experiment(config: Path) -> None:
    invoke("run", config, *ORACLE)
    before = Path("wire.h5").read_bytes()
    result = invoke("run", config, *ORACLE, "--set", "seed=8")
    assert result.exit_code == 2
    assert result.stderr.count("mesogpu: error: ") == 1
    assert Path("wire.h5").read_bytes() == before


def test_run_with_too_many_failed_samples_is_4(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Seen to fail with the bound at 100 %.
    from dataclasses import replace

    import mesogpu.store

    read = mesogpu.store.read_progress
    monkeypatch.setattr("mesogpu.store.read_progress", lambda path: replace(read(path), failed=1))
    result = invoke("run", config, *ORACLE)
    assert result.exit_code == 4
    assert "1 of 48 realizations failed" in result.stderr


def test_interrupted_run_is_130_and_says_how_to_go_on(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("mesogpu.api.run", interrupt)
    result = invoke("run", config)
    assert result.exit_code == 130
    assert "the same command goes on" in result.stderr


def test_unavailable_backend_is_5(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> None:
        raise errors.BackendUnavailable(f"--backend {name}: no GPU here; use --backend numpy")

    monkeypatch.setattr("mesogpu.api.select_backend", refuse)
    result = invoke("run", config, "--backend", "cuda")
    assert result.exit_code == 5
    assert "mesogpu: error: --backend cuda: no GPU here" in result.stderr


def test_a_plan_too_large_is_5_before_any_file(config: Path) -> None:
    for command in (("run", config), ("plan", config)):
        result = invoke(*command, "--set", "realizations=4000000000")
        assert result.exit_code == 5
        assert "mesogpu: error: disk: wire.h5 needs" in result.stderr
    assert not list(config.parent.glob("wire.h5*"))


def test_a_missing_folder_is_5(config: Path) -> None:
    assert invoke("run", config, "-o", "missing/wire.h5").exit_code == 5


def test_a_bug_is_70_and_logged(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("planted")

    monkeypatch.setattr("mesogpu.api.run", fail)
    result = invoke("run", config)
    assert result.exit_code == 70
    assert "Traceback" not in result.output
    (log,) = (tmp_path / "state" / "mesogpu").iterdir()
    assert str(log) in result.stderr


def test_validate_says_ok_or_every_problem(config: Path) -> None:
    good = invoke("validate", config)
    assert (good.exit_code, good.stdout) == (0, "OK: wire: 2 points, 2 lengths, 24 realizations each\n")
    config.write_text(CONFIG.replace("seed: 7", "sed: 7").replace("width: 4", "width: -4"))
    bad = invoke("validate", config)
    assert bad.exit_code == 2
    assert bad.stdout == ""
    assert "wire.yaml:3:1: sed" in bad.stderr
    assert "wire.yaml:6:10: model.width" in bad.stderr


def test_validate_finds_what_only_the_plan_knows(config: Path) -> None:
    result = invoke("validate", config, "--set", "model.edges=periodic")
    assert result.exit_code == 2
    assert "periodic" in result.stderr


@pytest.mark.parametrize("arguments", [("run",), ("run", "no-such-file.yaml"), ("fly",), ("status", "--jsn")])
def test_bad_usage_is_2(arguments: tuple[str, ...]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert result.stdout == ""


def test_schema_is_json_alone() -> None:
    result = invoke("schema")
    assert result.exit_code == 0
    assert "properties" in json.loads(result.stdout)
    assert result.stderr == ""


def test_plan_computes_nothing_and_says_what_it_costs(config: Path) -> None:
    result = invoke("plan", config)
    assert result.exit_code == 0
    assert "estimate" in result.stdout
    assert list(config.parent.iterdir()) == [config]


def test_plan_json_is_data_alone(config: Path) -> None:
    result = invoke("plan", config, "--json", "--workers", 2)
    costs = json.loads(result.stdout)
    assert result.stderr == ""
    assert (costs["points"], costs["lengths"], costs["realizations"], costs["workers"]) == (2, 2, 24, 2)
    assert costs["blocks"] == 2
    estimate = costs["time_estimate"]
    # Two points of one size, 24 realizations each, on two workers.
    assert estimate["seconds"] == pytest.approx(24 * estimate["seconds_per_realization_of_longest_point"])
    assert estimate["backend"] in ("cuda", "native", "numpy")


def test_planned_bytes_are_enough_for_the_file(config: Path, finished: Path) -> None:
    costs = json.loads(invoke("plan", config, "--json").stdout)
    assert 0 <= costs["disk_bytes"] - finished.stat().st_size < 100_000


def test_status_of_a_complete_file_is_0(finished: Path) -> None:
    result = invoke("status", finished, "--json")
    assert result.exit_code == 0
    assert result.stderr == ""
    status = json.loads(result.stdout)
    assert (status["done"], status["total"], status["failed"]) == (48, 48, 0)
    assert [point["parameters"]["flux"] for point in status["points"]] == [0.0, 0.01]


def test_status_of_an_incomplete_file_is_1(config: Path) -> None:
    from mesogpu.config.load import dump_yaml
    from mesogpu.plan import make_plan
    from mesogpu.store import Writer

    experiment = mesogpu.load_experiment(config)
    with Writer("wire.h5", make_plan(experiment), config_text=dump_yaml(experiment), signature="none"):
        pass
    result = invoke("status", "wire.h5")
    assert result.exit_code == 1
    assert "incomplete, 0 of 48 realizations" in result.stdout


def test_a_file_that_is_not_ours_is_refused(config: Path) -> None:
    for command in (("status",), ("analyze",), ("plot", "-o", "figure.png")):
        result = invoke(command[0], config, *command[1:])
        assert result.exit_code in (2, 3)
        assert "wire.yaml" in result.stderr


def test_analyze_json_is_the_summary_alone(finished: Path) -> None:
    result = invoke("analyze", finished, "--json")
    assert result.exit_code == 0
    assert result.stderr == ""
    with mesogpu.open_results(finished) as results:
        assert json.loads(result.stdout) == json.loads(json.dumps(mesogpu.analyze(results)))


def test_analyze_prints_the_table_of_the_run(finished: Path) -> None:
    result = invoke("analyze", finished)
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_plot_draws_each_kind(kind: str, finished: Path, tmp_path: Path) -> None:
    figure = tmp_path / f"figure.{kind}"
    assert invoke("plot", finished, "-o", figure).exit_code == 0
    assert figure.stat().st_size > 1000


def test_plot_refuses_another_kind(finished: Path, tmp_path: Path) -> None:
    result = invoke("plot", finished, "-o", tmp_path / "figure.txt")
    assert result.exit_code == 2
    assert ".svg" in result.stderr


def test_version_names_the_commit() -> None:
    result = invoke("--version")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"mesogpu {mesogpu.__version__} (commit ")


def test_every_command_has_help() -> None:
    for name in main.commands:
        result = invoke(name, "--help")
        assert result.exit_code == 0
        assert result.stdout.startswith(f"Usage: mesogpu {name}")


def test_exit_codes_are_those_of_the_help() -> None:
    text = " ".join(invoke("--help").stdout.split())
    for error, words in (
        (errors.ConfigError, "2 bad usage or config"),
        (errors.DamagedFileError, "3 damaged data"),
        (errors.EnvironmentFault, "5 environment"),
        (errors.Interrupted, "130 interrupted"),
    ):
        assert words in text
        assert words.startswith(str(error.exit_code))
