"""What `mesogpu run` and its log tell of workers, GPUs, skipped blocks and the dashboard."""

import json
import urllib.request
from types import SimpleNamespace

import pytest
from click.testing import CliRunner
from execute_fakes import MemoryWriter, small_plan

from mesogpu import api
from mesogpu.cli.commands import main
from mesogpu.execute import BlockSkipped, DashboardOpened, RunRecord, WorkerRetired, dashboard, execute, into_file

CONFIG = """\
schema: 1
name: wire
seed: 7
model: {lattice: square, width: 3, length: 4}
disorder:
  - {distribution: uniform, width: 1.0}
energy: 0.3
realizations: 24
"""

SKIPPED = [BlockSkipped(0, k, 8 * k, 8, 4, f"killed by signal {k}") for k in range(7)]


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "wire.yaml"
    path.write_text(CONFIG)
    return path


def invoke(*arguments):
    return CliRunner().invoke(main, list(map(str, arguments)), catch_exceptions=False)


# Seen to fail with the verdict of an incomplete file, exit code 1, given first.
def test_skipped_blocks_end_in_exit_code_4_their_names_and_a_line_each_in_the_log(config, monkeypatch):
    def execute(*_, listen, **__):
        listen(WorkerRetired(2, "GPU-b", 5, "GPU 0: device lost"))
        for event in SKIPPED:
            listen(event)
        return RunRecord(1.0, 0.0, 0, 0, 0, len(SKIPPED))

    with monkeypatch.context() as patch:
        patch.setattr(into_file, "execute", execute)
        result = invoke("run", config, "--backend", "numpy", "--workers", 1)
    assert result.exit_code == 4, result.output
    assert "7 blocks left out" in result.stderr
    assert "block 4 of point 0 (realizations 32 to 39): killed by signal 4\n  and 2 more\n" in result.stderr
    assert "the same command tries them again" in result.stderr
    log = [json.loads(line) for line in (config.parent / "wire.h5.log.jsonl").read_text().splitlines()]
    assert [line["event"] for line in log] == ["started", "worker retired", *["block skipped"] * 7, "finished"]
    assert (log[1]["device"], log[1]["reason"], log[-1]["skipped"]) == ("GPU-b", "GPU 0: device lost", 7)
    assert (log[4]["point"], log[4]["block"], log[4]["first"], log[4]["count"]) == (0, 2, 16, 8)
    again = invoke("run", config, "--backend", "numpy", "--workers", 1)
    assert again.exit_code == 0, again.output


@pytest.mark.parametrize(("gpus", "workers"), [((), 1), (("GPU-a",), 1), (("GPU-a", "MIG-b", "GPU-c"), 3)])
def test_the_cuda_backend_gets_a_worker_for_each_visible_gpu(monkeypatch, gpus, workers):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(gpus))

    class Cuda:
        name = "cuda"

    assert api._worker_count(Cuda(), None) == workers
    assert api._worker_count(Cuda(), 2) == 2


def test_a_dashboard_without_bokeh_is_refused_before_any_file_is_made(config, monkeypatch):
    monkeypatch.setattr(dashboard.importlib.util, "find_spec", lambda _name: None)
    result = CliRunner().invoke(main, ["run", str(config), "--backend", "numpy", "--dashboard"])
    assert result.exit_code == 5
    assert "pip install 'mesogpu[dashboard]'" in result.stderr
    assert not (config.parent / "wire.h5").exists()


def test_the_dashboard_is_served_on_loopback_while_the_run_lasts():
    pytest.importorskip("bokeh", reason="needs bokeh: pip install 'mesogpu[dashboard]'")
    psutil = pytest.importorskip("psutil")
    plan, addresses, listening = small_plan(8), [], set()

    def listen(event):
        if isinstance(event, DashboardOpened):
            addresses.append(event.address)
            connections = psutil.Process().net_connections()
            listening.update(open.laddr.ip for open in connections if open.status == psutil.CONN_LISTEN)
            with urllib.request.urlopen(event.address, timeout=20) as page:
                assert b"bokeh" in page.read().lower()

    execute(plan, MemoryWriter(plan), backend="numpy", workers=1, listen=listen, dashboard=True)
    assert len(addresses) == 1
    assert listening == {"127.0.0.1"}
    assert addresses[0].startswith("http://localhost:")
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(addresses[0], timeout=20)


def test_the_run_takes_its_places_from_the_visible_gpus(monkeypatch):
    seen = {}
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-a,GPU-b")
    monkeypatch.setattr("mesogpu.execute.run.select_backend", lambda name: SimpleNamespace(name=name, signature=""))
    monkeypatch.setattr("mesogpu.execute.run.compute_outstanding", lambda *_, **options: seen.update(options))
    for backend, devices in (("cuda", ("GPU-a", "GPU-b")), ("native", ())):
        execute(None, None, backend=backend, workers=2)
        assert seen["devices"] == devices
