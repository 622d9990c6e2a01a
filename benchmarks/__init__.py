"""Timings: side by side in one run, in ratios and in percent of a measured peak; README.md says how to run them."""
