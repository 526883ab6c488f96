#!/usr/bin/env python3
"""Distances and scores of small sets of features by NumPy and SciPy: tests/fixtures/metrics.safetensors; and
statistics.npz, the statistics of x as pytorch-fid writes them.

  x [90,24], y [70,24]  features; few [16,24], as many [90,24] (of rank 15 and 24)
  eigenvalues/s [24,24], eigenvalues/of [24]  a symmetric matrix, and numpy.linalg.eigvalsh of it, rising
  frechet/full []       of x and y, by scipy.linalg.sqrtm as pytorch-fid
  frechet/few []        of few and x, the trace of the root as the nuclear norm of F X^T / sqrt(15 * 89)
  frechet/n []          of x and y with covariances over N, as StyleGAN3
  kid []                of all of x and y[:70] by the unbiased estimator: see kid()
  kid/subsets [2]       mean and deviation over 20 subsets of 30 of x (real) and y (fake), RandomState(7)
  score, score/deviation []  Inception Score of x as logits in their order, 10 splits
  score/shuffled [2]    the same after torch-fidelity's shuffle: RandomState(2020).permutation
  classes [120,12], classes/score [2]  logits sorted by class, and their shuffled score
  pr [4]                precision, recall, density, coverage of x (real) and y (fake), k = 3
  pr/default [4]        the same with k = 3, <= for the first two and k = 5, < for the others
  copies/real [40,16], copies/fake [20,16]  whole numbers, each fake a copy of a real image, ten of them twice
  copies/k3, copies/k5 [4]    precision, recall with <=, density, coverage with <
  copies/prdc [4]       all four with <, k = 5, as prdc
  copies/self [4]       of copies/real with itself, k = 3
  crowd/real [12,16], crowd/fake [10,16]  six equal real images, four equal fakes among them
  crowd/k5, crowd/prdc [4]    k = 5, as above

The tools themselves are not needed. These formulas were compared with their code in November 2026, on these very
arrays, and are equal to it: pytorch-fid b9c1811, clean-fid e88c4d6 (its KID after numpy.random.seed(7)),
torch-fidelity 5e211a9, stylegan3 c233a91, prdc e320c1d.
"""

from pathlib import Path

import numpy as np
import scipy.linalg
import torch
from scipy.spatial.distance import cdist

from dcgan import save_safetensors

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "metrics.safetensors"


def frechet(a, b, ddof=1):
    A, B = (np.cov(f, rowvar=False, ddof=ddof) for f in (a, b))
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(A + B - 2 * scipy.linalg.sqrtm(A @ B).real)


def frechet_singular(a, b):
    A, B = a - a.mean(0), b - b.mean(0)
    n, m = len(a) - 1, len(b) - 1
    root = np.linalg.svd(A @ B.T, compute_uv=False).sum() / np.sqrt(n * m)
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + (A**2).sum() / n + (B**2).sum() / m - 2 * root


def kid(x, y):
    m, d = x.shape
    xx, yy, xy = ((a @ b.T / d + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
    return within / (m * (m - 1)) - 2 * xy.mean()


def kid_of_subsets(real, fake, subsets, size, seed):
    random, found = np.random.RandomState(seed), []
    for _ in range(subsets):
        y = fake[random.choice(len(fake), size, replace=False)]
        found.append(kid(real[random.choice(len(real), size, replace=False)], y))
    return np.mean(found), np.std(found)


def inception_score(logits, splits=10):
    scores = []
    for part in np.array_split(logits, splits):
        p = np.exp(part) / np.exp(part).sum(1, keepdims=True)
        scores.append(np.exp((p * (np.log(p) - np.log(p.mean(0)))).sum(1).mean()))
    return np.mean(scores), np.std(scores)


def shuffled(rows):
    return rows[np.random.RandomState(2020).permutation(len(rows))]


def precision_recall(real, fake, k=3, density_k=3, edge=np.less_equal):
    def radii(a, k):
        return np.sort(cdist(a, a), 1)[:, k]

    between = cdist(real, fake)
    inside = between < radii(real, density_k)[:, None]
    return np.array([
        edge(between, radii(real, k)[:, None]).any(0).mean(),
        edge(between, radii(fake, k)).any(1).mean(),
        inside.sum() / (density_k * len(fake)),
        inside.any(1).mean(),
    ])


def main():
    random = np.random.default_rng(11)

    def features(n, shift, spread):
        mixed = random.standard_normal((n, 24)) * np.geomspace(1, 0.05, 24) * spread
        return (mixed @ rotation + 0.4 + shift).astype(np.float32)

    rotation = scipy.linalg.qr(random.standard_normal((24, 24)))[0]
    x, y, few = features(90, 0, 1), features(70, 0.05, 0.9), features(16, 0.1, 1.1)
    s = random.standard_normal((24, 24))
    s = (s + s.T).astype(np.float32)
    tensors = {"x": x, "y": y, "few": few, "eigenvalues/s": s}
    X, Y, F, S = (t.astype(np.float64) for t in (x, y, few, s))
    score, deviation = inception_score(X)
    copied = np.random.default_rng(4).integers(-8, 9, (40, 16)).astype(np.float64)
    twice = np.concatenate([copied[:10]] * 2)
    crowd, others = np.concatenate([copied[[0] * 6], copied[20:26]]), np.concatenate([copied[[0] * 4], copied[30:36]])
    classes = np.zeros((120, 12))
    classes[np.arange(120), np.arange(120) // 10] = 8
    classes = (classes + np.random.default_rng(0).standard_normal(classes.shape)).astype(np.float32)
    tensors |= {
        "copies/real": copied,
        "copies/fake": twice,
        "copies/k3": precision_recall(copied, twice),
        "copies/k5": precision_recall(copied, twice, 5, 5),
        "copies/prdc": precision_recall(copied, twice, 5, 5, np.less),
        "copies/self": precision_recall(copied, copied),
        "crowd/real": crowd,
        "crowd/fake": others,
        "crowd/k5": precision_recall(crowd, others, 5, 5),
        "crowd/prdc": precision_recall(crowd, others, 5, 5, np.less),
        "classes": classes,
        "classes/score": np.array(inception_score(shuffled(classes.astype(np.float64)))),
        "score/shuffled": np.array(inception_score(shuffled(X))),
        "kid/subsets": np.array(kid_of_subsets(X, Y, 20, 30, 7)),
        "pr/default": precision_recall(X, Y, 3, 5),
        "eigenvalues/of": np.linalg.eigvalsh(S),
        "frechet/full": frechet(X, Y),
        "frechet/n": frechet(X, Y, 0),
        "frechet/few": frechet_singular(F, X),
        "kid": kid(X[:70], Y),
        "score": score,
        "score/deviation": deviation,
        "pr": precision_recall(X, Y),
    }
    tensors = {name: torch.from_numpy(np.asarray(value)) for name, value in tensors.items()}
    save_safetensors(FIXTURE, tensors, {"source": "tests/oracle/metrics.py", "scipy": scipy.__version__})
    np.savez_compressed(FIXTURE.with_name("statistics.npz"), mu=X.mean(0), sigma=np.cov(X, rowvar=False))
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size} bytes")
    print({name: value.numpy() for name, value in tensors.items() if value.numel() < 5})


if __name__ == "__main__":
    main()
