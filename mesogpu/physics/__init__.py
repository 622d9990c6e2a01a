"""Lattices, disorder, leads, observables and closed forms: plain physics on NumPy and SciPy, no hardware, no files."""
