#!/usr/bin/env python3
"""Metrics of small sets of features by NumPy and SciPy: tests/fixtures/more_metrics.safetensors.

  training [240,6], fake [220,6], held_out [200,6]  features in three clusters; 30 fakes are copies of training rows
  normal [9]          numpy.random.RandomState(2020).randn(9)
  vendi, vendi/few [] the Vendi score of fake, and of its first 4 rows (fewer than features), by eigvalsh of the
                      cosines over n, as dgm-eval (74c79f7) and score_K of vendi-score (c791c30)
  mind [2]            3 d times the sliced Wasserstein distance of fake and 220 of training, directions by
                      RandomState(2020): torch-fidelity's (5e211a9) formula, float64; and of fake with a copy moved by v
  authpct [3]         of training and fake, as dgm-eval's; of copies alone; of held_out
  centres [3,6], ct [2]  C_T of fake, and of held_out's other half, in these cells: casey-meehan/data-copying's formulas
                      with scipy.stats.mannwhitneyu, cells with more than 20 fakes
  fd_infinity [2]     the intercept over 1/N and the distance at the full size; 15 sizes, both sides shrink
"""

from pathlib import Path

import numpy as np
import scipy.linalg
import torch
from scipy.spatial.distance import cdist
from scipy.stats import mannwhitneyu

from dcgan import save_safetensors

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "more_metrics.safetensors"


def vendi(x):
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    e = np.linalg.eigvalsh(x @ x.T / len(x))
    e = e[e > 0]
    return np.exp(-(e * np.log(e)).sum())


def mind(real, fake, random):
    n, d = min(len(real), len(fake)), real.shape[1]
    real = real[random.choice(len(real), n, replace=False)] if len(real) > n else real
    fake = fake[random.choice(len(fake), n, replace=False)] if len(fake) > n else fake
    u = random.randn(1000, d)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    return 3 * d * ((np.sort(real @ u.T, 0) - np.sort(fake @ u.T, 0)) ** 2).mean()


def authpct(training, fake):
    own = cdist(training, training)
    np.fill_diagonal(own, np.inf)
    between = cdist(training, fake)
    return 100 * (own.min(0)[between.argmin(0)] < between.min(0)).mean()


def z_score(held_out, fake, training):
    m, n = len(fake), len(held_out)
    u, _ = mannwhitneyu(cdist(fake, training).min(1), cdist(held_out, training).min(1), alternative="less")
    return (u - (n * m / 2 - 0.5)) / np.sqrt(n * m * (n + m + 1) / 12)


def ct(held_out, fake, training, centres):
    P, Q, T = (cdist(side, centres).argmin(1) for side in (held_out, fake, training))
    cells = [c for c in range(len(centres)) if (Q == c).mean() > 20 / len(fake)]
    weights = np.array([(P == c).mean() for c in cells])
    scores = np.array([z_score(held_out[P == c], fake[Q == c], training[T == c]) for c in cells])
    return weights @ scores / weights.sum()


def frechet(a, b):
    A, B = (np.cov(f, rowvar=False) for f in (a, b))
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(A + B - 2 * scipy.linalg.sqrtm(A @ B).real)


def fd_infinity(real, fake):
    random, points = np.random.RandomState(0), []
    for i in range(15):
        share = 0.1 + 0.9 * i / 14
        sizes = [int(len(side) * share + 1e-9) for side in (real, fake)]
        a, b = (side[random.choice(len(side), size, replace=False)] for side, size in zip((real, fake), sizes))
        points.append((1 / sizes[1], frechet(a, b)))
    x, y = np.array(points).T
    return np.polyfit(x, y, 1)[1], y[-1]


def main():
    random = np.random.default_rng(3)
    centres = random.standard_normal((3, 6)) * 3

    def clusters(n, spread):
        return (centres[random.integers(0, 3, n)] + random.standard_normal((n, 6)) * spread).astype(np.float32)

    training, fake, held_out = clusters(240, 1), clusters(220, 0.9), clusters(200, 1)
    fake[:30] = training[:30]
    v = np.array([1, 0, 0, 2, 0, 0])
    T, F, H = (side.astype(np.float64) for side in (training, fake, held_out))
    tensors = {
        "training": training,
        "fake": fake,
        "held_out": held_out,
        "normal": np.random.RandomState(2020).randn(9),
        "vendi": vendi(F),
        "vendi/few": vendi(F[:4]),
        "mind": np.array([mind(T, F, np.random.RandomState(2020)), mind(F, F + v, np.random.RandomState(2020))]),
        "authpct": np.array([authpct(T, F), authpct(T, T[:50]), authpct(T, H)]),
        "centres": centres.astype(np.float32),
        "ct": np.array([ct(H, F, T, centres), ct(H[:100], H[100:], T, centres)]),
        "fd_infinity": np.array(fd_infinity(T, F)),
    }
    tensors = {name: torch.from_numpy(np.asarray(value)) for name, value in tensors.items()}
    save_safetensors(FIXTURE, tensors, {"source": "tests/oracle/more_metrics.py", "scipy": scipy.__version__})
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size} bytes")
    print({name: value.numpy() for name, value in tensors.items() if value.numel() < 10})


if __name__ == "__main__":
    main()
