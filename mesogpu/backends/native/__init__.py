"""The kernels on this machine's processor: compiled on first use, a vector lane for each realization."""
