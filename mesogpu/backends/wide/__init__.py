"""The frames of wide samples by matrix products of a library: BLAS on the host, cuBLAS through CuPy."""
