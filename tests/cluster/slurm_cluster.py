"""A real SLURM on this machine alone: munge, controller and one node, all on loopback, all state in one folder.

    python tests/cluster/slurm_cluster.py start FOLDER [CPUS [GPUS]]    prints what to export
    python tests/cluster/slurm_cluster.py stop FOLDER

Needs `apt-get install --no-install-recommends slurm-wlm munge`; neither systemd nor root. GPUs are fake: character
devices that nobody opens, but SLURM hands them out and sets CUDA_VISIBLE_DEVICES. Partitions: `main`, and `low`, whose
jobs are sent back into the queue by those of `main`.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
_FOLDERS = ("etc", "state", "spool", "log", "pid", "munge", "dev")
_SECONDS = 30.0
_PAUSE = 0.1

_CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={root}/munge/socket,cred_expire=5
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmdParameters=config_overrides
SlurmctldPort={port}
SlurmdPort={next_port}
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/pid/slurmctld
SlurmdPidFile={root}/pid/slurmd
SlurmctldLogFile={root}/log/slurmctld
SlurmdLogFile={root}/log/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
SlurmdTimeout=15
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0,sched_min_interval=0,requeue_delay=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
KillWait=5
MinJobAge=3600
JobRequeue=1
MaxArraySize=10001
MaxJobCount=30000
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
{gres_types}
NodeName={host} NodeAddr=127.0.0.1 CPUs={cpus} RealMemory={memory} {gres} State=UNKNOWN
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE DefaultTime=00:10:00 PriorityTier=10 PreemptMode=OFF
PartitionName=low Nodes={host} MaxTime=INFINITE DefaultTime=00:10:00 PriorityTier=1 PreemptMode=REQUEUE GraceTime=10
"""


@dataclass(frozen=True)
class SlurmCluster:
    """One cluster of one node.

    root : folder of all its state
    cpus : that the node claims to have
    gpus : fake ones
    """

    root: Path
    cpus: int = 8
    gpus: int = 2

    @staticmethod
    def missing() -> str:
        """Programs that are not on this machine, empty where all are."""
        return ", ".join(name for name in PROGRAMS if shutil.which(name, path=_search_path()) is None)

    @property
    def environment(self) -> dict[str, str]:
        """What commands need to speak to it."""
        return {"SLURM_CONF": str(self.root / "etc" / "slurm.conf"), "PATH": _search_path()}

    def start(self) -> None:
        """Start what is not running, and wait until the node takes jobs."""
        for folder in _FOLDERS:
            (self.root / folder).mkdir(parents=True, exist_ok=True)
            (self.root / folder).chmod(0o755)
        if not (self.root / "etc" / "slurm.conf").exists():
            self._configure()
        self._start_munge()
        if not self._running("slurmctld"):
            self._run("slurmctld")
            _wait("slurmctld answers", lambda: self._succeeds("scontrol", "ping"))
        self.start_node()

    def start_node(self) -> None:
        """Start the node's daemon where it is not running, and wait until it takes jobs."""
        if not self._running("slurmd"):
            self._run("slurmd", "-N", _host())
        _wait("the node takes jobs", self._node_is_up)

    def kill_node(self) -> None:
        """End the node's daemon at once, as a crash would; its jobs' processes go on."""
        os.kill(self._process("slurmd"), signal.SIGKILL)
        _wait("slurmd is gone", lambda: not self._running("slurmd"))

    def stop(self) -> None:
        """Cancel all jobs and end all daemons."""
        with contextlib.suppress(subprocess.SubprocessError):
            self._run("scancel", "-u", getpass.getuser())
            _wait("jobs have ended", lambda: not self._run("squeue", "-h", "-t", "RUNNING,COMPLETING").strip())
        for name in ("slurmd", "slurmctld", "munged"):
            if self._running(name):
                os.kill(self._process(name), signal.SIGTERM)
                with contextlib.suppress(TimeoutError):
                    _wait(f"{name} is gone", lambda name=name: not self._running(name))  # type: ignore[misc]
            if self._running(name):
                os.kill(self._process(name), signal.SIGKILL)

    def _configure(self) -> None:
        key = self.root / "munge" / "key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        devices = [self.root / "dev" / f"nvidia{number}" for number in range(self.gpus)]
        for device in devices:
            try:
                os.mknod(device, 0o666 | 0o020000, os.makedev(1, 3))
            except PermissionError:
                device.symlink_to("/dev/null")
        host, port = _host(), _free_ports()
        if devices:
            files = f"{self.root}/dev/nvidia[0-{self.gpus - 1}]"
            line = f"NodeName={host} Name=gpu Type=fake File={files} Flags=nvidia_gpu_env\n"
            (self.root / "etc" / "gres.conf").write_text(line)
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2**20 * 9 // 10
        (self.root / "etc" / "slurm.conf").write_text(
            _CONFIGURATION.format(
                host=host,
                user=getpass.getuser(),
                root=self.root,
                port=port,
                next_port=port + 1,
                cpus=self.cpus,
                memory=memory,
                gres_types="GresTypes=gpu" if devices else "",
                gres=f"Gres=gpu:fake:{self.gpus}" if devices else "",
            )
        )

    def _start_munge(self) -> None:
        folder = self.root / "munge"
        if self._running("munged"):
            return
        for stale in folder.glob("socket*"):
            stale.unlink()
        self._run(
            "munged",
            "--force",
            f"--key-file={folder}/key",
            f"--socket={folder}/socket",
            f"--pid-file={self.root}/pid/munged",
            f"--log-file={self.root}/log/munged",
            f"--seed-file={folder}/seed",
        )
        _wait("munge answers", lambda: self._succeeds("munge", "-n", "-S", f"{folder}/socket"))

    def _node_is_up(self) -> bool:
        state = self._run("sinfo", "-h", "-n", _host(), "-o", "%T").split()
        if state and state[0].startswith(("down", "drain")):
            self._run("scontrol", "update", f"NodeName={_host()}", "State=RESUME")
        return bool(state) and state[0] in ("idle", "mixed", "allocated")

    def _process(self, name: str) -> int:
        return int((self.root / "pid" / name).read_text())

    def _running(self, name: str) -> bool:
        """Whether the process of the pid file lives and is that program: numbers are used again."""
        try:
            status = Path(f"/proc/{self._process(name)}/status").read_text()
        except (OSError, ValueError):
            return False
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        return fields["Name"] == name and fields["State"][0] not in "ZX"

    def _succeeds(self, *command: str) -> bool:
        try:
            self._run(*command)
        except subprocess.SubprocessError:
            return False
        return True

    def _run(self, *command: str) -> str:
        done = subprocess.run(
            command,
            env=os.environ | self.environment,
            cwd=self.root / "log",
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        if done.returncode:
            raise subprocess.CalledProcessError(done.returncode, command, done.stdout, done.stderr)
        return done.stdout


def _search_path() -> str:
    """Daemons lie in sbin, which an ordinary user's PATH has not."""
    return os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])


def _host() -> str:
    return socket.gethostname().partition(".")[0]


def _free_ports() -> int:
    """The first of two ports side by side that nobody listens on."""
    for _ in range(100):
        with socket.socket() as first, socket.socket() as second:
            first.bind(("127.0.0.1", 0))
            port = int(first.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port
    raise OSError("no two free ports side by side")


def _wait(what: str, condition: Callable[[], bool], seconds: float = _SECONDS) -> None:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds:.0f} s in vain until {what}")
        time.sleep(_PAUSE)


def main(arguments: list[str]) -> None:
    """Start or stop a cluster from a shell."""
    action, folder, *sizes = arguments
    cluster = SlurmCluster(Path(folder).absolute(), *map(int, sizes))
    if action == "stop":
        cluster.stop()
        return
    cluster.start()
    for name, value in cluster.environment.items():
        sys.stdout.write(f"export {name}={value}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
