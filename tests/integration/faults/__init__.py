"""What may happen to a run: killed processes, power cuts, full and failing disks, company, hostile outputs.

A bounded version stands in the default suite; `python -m pytest -m faults` runs the long one, and says with
`--log-cli-level=INFO` what it counted.
"""

import logging

counts = logging.getLogger("faults")
"""Told how much a test has seen."""
