#!/usr/bin/env python3
"""Distances and scores of small sets of features by NumPy and SciPy: tests/fixtures/metrics.safetensors; and
statistics.npz, the statistics of x as pytorch-fid writes them.

  x [90,24], y [70,24]  features; few [16,24], as many [90,24] (of rank 15 and 24)
  eigenvalues/s [24,24], eigenvalues/of [24]  a symmetric matrix, and numpy.linalg.eigvalsh of it, rising
  frechet/full []       of x and y, by scipy.linalg.sqrtm as pytorch-fid
  frechet/few []        of few and x, the trace of the root as the nuclear norm of F X^T / sqrt(15 * 89)
  kid []                of all of x and y[:70] by the unbiased estimator: see kid()
  score, score/deviation []  Inception Score of x as logits, 10 splits
  pr [4]                precision, recall, density, coverage of x (real) and y (fake), k = 3
"""

from pathlib import Path

import numpy as np
import scipy.linalg
import torch
from scipy.spatial.distance import cdist

from dcgan import save_safetensors

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "metrics.safetensors"


def frechet(a, b):
    root = scipy.linalg.sqrtm(np.cov(a, rowvar=False) @ np.cov(b, rowvar=False)).real
    traces = np.trace(np.cov(a, rowvar=False) + np.cov(b, rowvar=False) - 2 * root)
    return ((a.mean(0) - b.mean(0)) ** 2).sum() + traces


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


def inception_score(logits, splits=10):
    scores = []
    for part in np.array_split(logits, splits):
        p = np.exp(part) / np.exp(part).sum(1, keepdims=True)
        scores.append(np.exp((p * (np.log(p) - np.log(p.mean(0)))).sum(1).mean()))
    return np.mean(scores), np.std(scores)


def precision_recall(real, fake, k=3):
    radii_real, radii_fake = (np.sort(cdist(a, a), 1)[:, k] for a in (real, fake))
    between = cdist(real, fake)
    inside = between <= radii_real[:, None]
    return [
        inside.any(0).mean(),
        (between <= radii_fake).any(1).mean(),
        inside.sum() / (k * len(fake)),
        (between.min(1) <= radii_real).mean(),
    ]


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
    tensors |= {
        "eigenvalues/of": np.linalg.eigvalsh(S),
        "frechet/full": frechet(X, Y),
        "frechet/few": frechet_singular(F, X),
        "kid": kid(X[:70], Y),
        "score": score,
        "score/deviation": deviation,
        "pr": np.array(precision_recall(X, Y)),
    }
    tensors = {name: torch.from_numpy(np.asarray(value)) for name, value in tensors.items()}
    save_safetensors(FIXTURE, tensors, {"source": "tests/oracle/metrics.py", "scipy": scipy.__version__})
    np.savez_compressed(FIXTURE.with_name("statistics.npz"), mu=X.mean(0), sigma=np.cov(X, rowvar=False))
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size} bytes")
    print({name: value.numpy() for name, value in tensors.items() if value.numel() < 5})


if __name__ == "__main__":
    main()
