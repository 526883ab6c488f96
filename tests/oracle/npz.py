#!/usr/bin/env python3
"""Statistics as programs with NumPy write them, of d = 3: tests/fixtures/npz/*.npz.

  ok, compressed     mu and sigma as pytorch-fid writes them
  foreign            beside arrays of others called n (a table), about (a text) and arr_0 (64 kB of images)
  n-int32            with the number of images, 200, as int32
  big-endian, float16, row    mu and sigma in >f8; in float16; mu as [1, 3] and sigma in Fortran's order
  samples            images and labels, as guided-diffusion writes them: no statistics
  asymmetric, no-images    a sigma that is not symmetric; n = 0
"""

from pathlib import Path

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "npz"
MU = np.array([0.5, -1.25, 2])
SIGMA = np.array([[2, 0.5, -0.25], [0.5, 1, 0.125], [-0.25, 0.125, 3]])


def main():
    FOLDER.mkdir(exist_ok=True)
    images = np.zeros((16, 32, 32, 3), np.uint8)
    np.savez(FOLDER / "ok.npz", mu=MU, sigma=SIGMA)
    foreign = {"mu": MU, "sigma": SIGMA, "n": np.zeros((7, 2)), "about": "celeba", "arr_0": images}
    np.savez_compressed(FOLDER / "foreign.npz", **foreign)
    np.savez_compressed(FOLDER / "compressed.npz", mu=MU.astype("f4"), sigma=SIGMA.astype("f4"))
    np.savez(FOLDER / "n-int32.npz", mu=MU, sigma=SIGMA, n=np.int32(200))
    np.savez(FOLDER / "big-endian.npz", mu=MU.astype(">f8"), sigma=SIGMA.astype(">f8"))
    np.savez(FOLDER / "float16.npz", mu=MU.astype("f2"), sigma=SIGMA.astype("f2"))
    np.savez(FOLDER / "row.npz", mu=MU[None], sigma=np.asfortranarray(SIGMA))
    np.savez_compressed(FOLDER / "samples.npz", images, np.arange(16))
    np.savez(FOLDER / "asymmetric.npz", mu=MU, sigma=SIGMA + np.eye(3, k=1))
    np.savez(FOLDER / "no-images.npz", mu=MU, sigma=SIGMA, n=np.int64(0))


if __name__ == "__main__":
    main()
