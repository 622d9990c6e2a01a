"""Certificates and the audit: what they catch, and whom they draw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mesogpu.backends import certify
from mesogpu.physics.disorder import Uniform
from mesogpu.physics.systems import System
from mesogpu.plan import Block, Point, Status

SYSTEM = System(4, False, 1.0, 0.0, 0.3, 0.0, True, (Uniform(1.0),))
POINT = Point(0, (), SYSTEM, (5, 9), seed=11, stream_point=0, eigenvalues=False, shot_noise=False)


def test_a_defect_beyond_the_bound_or_a_nan_costs_the_certificate():
    defect = np.array([0.0, 3.9e-9, 4.1e-9, np.nan, 1e-12])
    logarithm = np.array([0.0, 0.0, 0.0, 0.0, np.nan])
    assert certify.certificates(defect, logarithm, 4).tolist() == [
        Status.CERTIFIED,
        Status.CERTIFIED,
        Status.FAILED_UNITARITY,
        Status.FAILED_NOT_FINITE,
        Status.FAILED_NOT_FINITE,
    ]


def test_the_audited_realizations_do_not_depend_on_the_blocks():
    whole = certify.audited_realizations(Block(POINT, 0, 0, 160_000))
    parts = [certify.audited_realizations(Block(POINT, k, 4000 * k, 4000)) for k in range(40)]
    np.testing.assert_array_equal(whole, np.concatenate(parts))
    assert whole[:4].tolist() == [0, 1, 2, 3]
    assert 20 <= len(whole) - 4 <= 60  # 39 expected, one standard deviation is 6


def test_the_audit_reports_the_largest_deviation_and_condemns_a_wrong_sample():
    block = Block(POINT, 0, 0, 4)
    stored = np.tile(np.array([[-1.0], [-5000.0]]), (1, 4))
    status = np.zeros((2, 4), dtype=np.uint8)

    def auditor(_block: Block, realization: int) -> np.ndarray:
        return np.array([-1.0 + (2e-8 if realization == 2 else 3e-9), -5000.0 + 4.9e-8])

    deviation = certify.audit(block, stored, certify.log_conductance_bound(stored), status, auditor)
    np.testing.assert_allclose(deviation, [2e-8, 4.9e-8], rtol=1e-3)
    assert status.tolist() == [[0, 0, Status.FAILED_AUDIT, 0], [0, 0, 0, 0]]


def test_a_block_without_audited_samples_reports_nan():
    block = Block(replace(POINT, seed=5), 1, 8, 2)
    assert len(certify.audited_realizations(block)) == 0
    nothing, status = np.zeros((2, 2)), np.zeros((2, 2), dtype=np.uint8)
    deviation = certify.audit(block, nothing, nothing, status, lambda *_: np.zeros(2))
    assert np.isnan(deviation).all()
