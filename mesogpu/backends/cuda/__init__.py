"""The kernels on an NVIDIA GPU: compiled by NVRTC, a block of threads for each realization."""
