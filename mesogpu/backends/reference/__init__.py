"""The oracle: plain NumPy, complex arithmetic, the leads attached from the start ("numpy" on the command line)."""
