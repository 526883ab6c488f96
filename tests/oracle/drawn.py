"""Numbers that tests/drawn.ts makes, too, so that no fixture need store them."""

import numpy as np


def uniform(name, count):
    """Of that name: a hash of the name and the place, from [-1, 1) in steps of 2^-23, as float64."""
    seed = np.uint32(2166136261)
    with np.errstate(over="ignore"):
        for byte in name.encode():  # FNV-1a
            seed = (seed ^ np.uint32(byte)) * np.uint32(16777619)
        h = seed + np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)
        h = (h ^ (h >> np.uint32(16))) * np.uint32(0x21F0AAAD)  # "lowbias32"
        h = (h ^ (h >> np.uint32(15))) * np.uint32(0x735A2D97)
        h = h ^ (h >> np.uint32(15))
    return (h >> np.uint32(8)).astype(np.float64) / 2**23 - 1
