"""Whole runs killed with all their processes at random moments: nothing acknowledged is lost, every byte comes out."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CONFIG = """
schema: 1
name: killed
seed: 41
model: {lattice: square, width: 12, length: [20, 60]}
disorder: [{distribution: uniform, width: 1.5}]
energy: 0.4
sweep: {flux: {linspace: [0.0, 0.03, 12]}}
realizations: 9000
observables: [transmission_eigenvalues, shot_noise]
"""
KILLS = 10


def command(config: Path, out: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "mesogpu", "run", str(config), "-o", str(out), "--backend", "numpy", *arguments]


def status(out: Path) -> dict:
    answer = subprocess.run(
        [sys.executable, "-m", "mesogpu", "status", str(out), "--json"], capture_output=True, text=True, check=False
    )
    return json.loads(answer.stdout)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.faults
def test_ten_kills_of_the_whole_process_group_leave_the_same_bytes(tmp_path):
    # Seen to fail with a resume that takes every touched block for done.
    config, whole, out = tmp_path / "killed.yaml", tmp_path / "whole.h5", tmp_path / "killed.h5"
    config.write_text(CONFIG)
    environment = os.environ | {"MESOGPU_GIT_SHA": "0" * 40}
    start = time.monotonic()
    subprocess.run(command(config, whole, "--workers", "2"), check=True, capture_output=True, env=environment)
    span = time.monotonic() - start
    moments, done, kills = random.Random(2026), 0, 0
    while kills < KILLS:
        workers = str(moments.choice([1, 2]))
        process = subprocess.Popen(
            command(config, out, "--workers", workers),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
        )
        try:
            process.wait(timeout=1.0 + moments.random() * span / 8)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills += 1
        if out.exists():
            now = status(out)
            assert now["done"] >= done
            assert now["failed"] == 0
            done = now["done"]
        if process.returncode == 0:
            break
    assert kills == KILLS
    subprocess.run(command(config, out, "--workers", "2"), check=True, capture_output=True, env=environment)
    assert digest(out) == digest(whole)
