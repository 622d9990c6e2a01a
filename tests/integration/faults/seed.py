"""A process that has imported everything and forks one `mesogpu` after the other: many starts for the price of one.

    python -m faults.seed [ordinary]

Reads a JSON object a line and answers each by one: {"start": REQUEST} by {"pid": N}; {"wait": N} by {"code": N} once
that process has ended, negative for a signal; {"ended": N} by the same at once, null while it runs. As `ordinary` it
gives up every privilege of root first. REQUEST: see `launching.Request`.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import sys
import time
from dataclasses import replace
from typing import Any

import distributed  # noqa: F401
import matplotlib.pyplot  # noqa: F401

from faults.calls import fail_from
from mesogpu import api
from mesogpu.cli import commands, entry_point, results  # noqa: F401
from mesogpu.errors import BackendUnavailable
from mesogpu.execute import commits, dask_workers  # noqa: F401
from mesogpu.store import Writer, creation, provenance

_PR_CAPBSET_DROP, _CAPABILITIES, _CAPABILITY_VERSION = 24, 64, 0x20080522


def main() -> None:
    """Serve requests until standard input ends."""
    if "ordinary" in sys.argv[1:] and os.geteuid() == 0:
        _give_up_privileges()
    for name in ("native", "numpy"):
        try:
            api.select_backend(name)
        except BackendUnavailable:
            continue
    codes: dict[int, int | None] = {}
    for line in sys.stdin:
        [(word, value)] = json.loads(line).items()
        if word == "start":
            pid = os.fork()
            if pid == 0:
                _run(value)
            answer = {"pid": pid}
        else:
            if codes.get(value) is None:
                found, status = os.waitpid(value, os.WNOHANG if word == "ended" else 0)
                codes[value] = os.waitstatus_to_exitcode(status) if found else None
            answer = {"code": codes[value]}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _run(request: dict[str, Any]) -> None:
    """Be one `mesogpu`, to the end of this process."""
    code: Any = 70
    try:
        os.setsid()
        os.chdir(request["folder"])
        said = os.open(request["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for stream, target in ((0, nothing), (1, said), (2, said)):
            os.dup2(target, stream)
        sys.stdin, sys.stdout, sys.stderr = (os.fdopen(k, mode) for k, mode in enumerate("rww"))
        _arrange(request)
        sys.argv = ["mesogpu", *request["arguments"]]
        code = entry_point()
    except SystemExit as end:
        code = end.code
    finally:
        sys.stdout.flush()
        os._exit(code)


def _arrange(request: dict[str, Any]) -> None:
    """Small blocks, a commit for each, everything told; and what is to go wrong."""
    make_plan = api.make_plan
    api.make_plan = lambda experiment: replace(make_plan(experiment), block_size=request["block_size"])
    commits.GROUP_SECONDS = 0.0
    # The checkout may gain a commit while files of two processes are compared byte for byte.
    provenance.git_sha = lambda: "0" * 40
    if request["told"]:
        _tell(request["told"], request["pause"])
    if request["blind"]:
        creation.require_space = api.check_disk = lambda *_: None
    if request["failing"]:
        call, nth, code = request["failing"]
        fail_from(nth, call, getattr(errno, code))


def _tell(told: str, pause: float) -> None:
    """Have the writer append `found P B ROWS` and `ack P B ROWS` to a file as it goes, and `opened` in between."""
    descriptor = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    begin, commit = Writer.__init__, Writer.commit

    def say(word: str, blocks: Any) -> None:
        os.write(descriptor, "".join(f"{word} {p} {b} {rows}\n" for p, b, rows in blocks).encode())

    def told_begin(self: Writer, *arguments: Any, **named: Any) -> None:
        begin(self, *arguments, **named)
        rows = self._blocks.layout.rows
        say("found", [(p, b, rows(b)) for p, b in zip(*self.done.nonzero(), strict=True)])
        os.write(descriptor, b"opened\n")

    def told_commit(self: Writer, group: Any) -> None:
        commit(self, group)
        say("ack", [(result.point, result.index, result.count) for result in group])
        time.sleep(pause)

    Writer.__init__, Writer.commit = told_begin, told_commit  # type: ignore[method-assign]


def _give_up_privileges() -> None:
    """Keep the user number of root and nothing else of it: permissions then count as for everybody."""
    libc = ctypes.CDLL(None, use_errno=True)
    for capability in range(_CAPABILITIES):
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)
    header, none = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    if libc.capset(header, none) != 0:
        raise OSError(ctypes.get_errno(), "capset")


if __name__ == "__main__":
    main()
