"""Philox4x32-10, the counter-based generator that every potential comes from.

Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11 (2011).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

ROUNDS = 10
_MULTIPLIER_0 = np.uint64(0xD2511F53)
_MULTIPLIER_1 = np.uint64(0xCD9E8D57)
_WEYL_0 = 0x9E3779B9
_WEYL_1 = 0xBB67AE85
_LOW = np.uint64(0xFFFFFFFF)
_WORD = np.uint64(32)


def philox4x32(
    counter: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike], key: tuple[ArrayLike, ArrayLike]
) -> NDArray[np.uint32]:
    """Four random 32-bit words for each counter under each key.

    counter : four integer arrays below 2^32 that broadcast together and with the key
    key     : two integer arrays below 2^32; here (seed, realization)
    returns : (..., 4) uint32
    source  : Salmon et al., SC11 (2011), ten rounds
    """
    broadcast = np.broadcast_arrays(*counter, *key)
    c0, c1, c2, c3, k0, k1 = (np.array(word, dtype=np.uint64) for word in broadcast)
    for _ in range(ROUNDS):
        product_0 = c0 * _MULTIPLIER_0
        product_1 = c2 * _MULTIPLIER_1
        c0, c1, c2, c3 = (
            (product_1 >> _WORD) ^ c1 ^ k0,
            product_1 & _LOW,
            (product_0 >> _WORD) ^ c3 ^ k1,
            product_0 & _LOW,
        )
        k0 = (k0 + np.uint64(_WEYL_0)) & _LOW
        k1 = (k1 + np.uint64(_WEYL_1)) & _LOW
    return np.stack([c0, c1, c2, c3], axis=-1).astype(np.uint32)


def unit_interval(words: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Uniform numbers in the open interval (0, 1), one for each 32-bit word: u = (word + 1/2) 2^-32."""
    return (words.astype(np.float64) + 0.5) * 2.0**-32


def fine_unit_interval(words: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Uniform numbers in (0, 1) of 52 bits, one for each pair of words.

    u = (n + 1/2) 2^-52 with n = 2^26 (w0 >> 6) + (w1 >> 6)

    words   : (..., 2) uint32
    returns : (...) float64
    """
    high, low = (words[..., k].astype(np.uint64) >> np.uint64(6) for k in range(2))
    return ((high << np.uint64(26)) + low).astype(np.float64) * 2.0**-52 + 2.0**-53
