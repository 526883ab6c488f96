#!/usr/bin/env python3
"""FID's Inception-v3 by PyTorch, and the fixture that holds ours to it: tests/fixtures/inception.safetensors.

The net is the one of pytorch-fid ("inception-2015-12-05", torchvision's names) with an eighth of its channels.
Its weights are not stored: `draw` makes them from their names, and the test does the same. All arithmetic is
float64; results are rounded to float32 once. What the file holds (24 pictures a set, 16 x 16):

  a, b [24,3,16,16]     two sets of pictures as bytes, b the noisier one
  a/64, ... b/logits    features [24,8], [24,24], [24,96], [24,256] and logits without bias [24,126]
  fid/64, ... fid/2048 []     Frechet distance of a and b; sqrtm of SciPy at 64, else, where the covariances
                        are singular, the nuclear norm of X Y^T / 23 for the trace of the root
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import adaptive_avg_pool2d, avg_pool2d, interpolate, max_pool2d, relu

from dcgan import save_safetensors
from drawn import uniform

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "inception.safetensors"
NARROW = 8
N, R = 24, 16


def draw(name, shape):
    """The weights of that name in float32: uniform numbers, scaled and shifted."""
    u = uniform(name, int(np.prod(shape)))
    part = name.split(".")[-2:]
    if part == ["bn", "weight"]:
        values = 1 + 0.2 * u
    elif part == ["bn", "running_var"]:
        values = 1 + 0.5 * u
    elif part[0] == "bn":
        values = 0.2 * u
    else:
        values = u * np.sqrt(6 / np.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


class Conv(nn.Module):
    """Convolution, batch norm, ReLU."""

    def __init__(self, inputs, outputs, kernel, stride=1, padding=0):
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, bias=False)
        self.bn = nn.BatchNorm2d(outputs, eps=0.001)

    def forward(self, x):
        return relu(self.bn(self.conv(x)))


def average3(x):
    return avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)


class A(nn.Module):
    def __init__(self, i, pool, c):
        super().__init__()
        self.branch1x1 = Conv(i, c(64), 1)
        self.branch5x5_1 = Conv(i, c(48), 1)
        self.branch5x5_2 = Conv(c(48), c(64), 5, padding=2)
        self.branch3x3dbl_1 = Conv(i, c(64), 1)
        self.branch3x3dbl_2 = Conv(c(64), c(96), 3, padding=1)
        self.branch3x3dbl_3 = Conv(c(96), c(96), 3, padding=1)
        self.branch_pool = Conv(i, c(pool), 1)

    def forward(self, x):
        return torch.cat([
            self.branch1x1(x),
            self.branch5x5_2(self.branch5x5_1(x)),
            self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x))),
            self.branch_pool(average3(x)),
        ], 1)


class B(nn.Module):
    def __init__(self, i, c):
        super().__init__()
        self.branch3x3 = Conv(i, c(384), 3, 2)
        self.branch3x3dbl_1 = Conv(i, c(64), 1)
        self.branch3x3dbl_2 = Conv(c(64), c(96), 3, padding=1)
        self.branch3x3dbl_3 = Conv(c(96), c(96), 3, 2)

    def forward(self, x):
        dbl = self.branch3x3dbl_3(self.branch3x3dbl_2(self.branch3x3dbl_1(x)))
        return torch.cat([self.branch3x3(x), dbl, max_pool2d(x, 3, 2)], 1)


class C(nn.Module):
    def __init__(self, i, k, c):
        super().__init__()
        row, column = dict(kernel=(1, 7), padding=(0, 3)), dict(kernel=(7, 1), padding=(3, 0))
        self.branch1x1 = Conv(i, c(192), 1)
        self.branch7x7_1 = Conv(i, c(k), 1)
        self.branch7x7_2 = Conv(c(k), c(k), **row)
        self.branch7x7_3 = Conv(c(k), c(192), **column)
        self.branch7x7dbl_1 = Conv(i, c(k), 1)
        self.branch7x7dbl_2 = Conv(c(k), c(k), **column)
        self.branch7x7dbl_3 = Conv(c(k), c(k), **row)
        self.branch7x7dbl_4 = Conv(c(k), c(k), **column)
        self.branch7x7dbl_5 = Conv(c(k), c(192), **row)
        self.branch_pool = Conv(i, c(192), 1)

    def forward(self, x):
        dbl = self.branch7x7dbl_3(self.branch7x7dbl_2(self.branch7x7dbl_1(x)))
        return torch.cat([
            self.branch1x1(x),
            self.branch7x7_3(self.branch7x7_2(self.branch7x7_1(x))),
            self.branch7x7dbl_5(self.branch7x7dbl_4(dbl)),
            self.branch_pool(average3(x)),
        ], 1)


class D(nn.Module):
    def __init__(self, i, c):
        super().__init__()
        self.branch3x3_1 = Conv(i, c(192), 1)
        self.branch3x3_2 = Conv(c(192), c(320), 3, 2)
        self.branch7x7x3_1 = Conv(i, c(192), 1)
        self.branch7x7x3_2 = Conv(c(192), c(192), (1, 7), padding=(0, 3))
        self.branch7x7x3_3 = Conv(c(192), c(192), (7, 1), padding=(3, 0))
        self.branch7x7x3_4 = Conv(c(192), c(192), 3, 2)

    def forward(self, x):
        seven = self.branch7x7x3_4(self.branch7x7x3_3(self.branch7x7x3_2(self.branch7x7x3_1(x))))
        return torch.cat([self.branch3x3_2(self.branch3x3_1(x)), seven, max_pool2d(x, 3, 2)], 1)


class E(nn.Module):
    def __init__(self, i, pool, c):
        super().__init__()
        row, column = dict(kernel=(1, 3), padding=(0, 1)), dict(kernel=(3, 1), padding=(1, 0))
        self.branch1x1 = Conv(i, c(320), 1)
        self.branch3x3_1 = Conv(i, c(384), 1)
        self.branch3x3_2a = Conv(c(384), c(384), **row)
        self.branch3x3_2b = Conv(c(384), c(384), **column)
        self.branch3x3dbl_1 = Conv(i, c(448), 1)
        self.branch3x3dbl_2 = Conv(c(448), c(384), 3, padding=1)
        self.branch3x3dbl_3a = Conv(c(384), c(384), **row)
        self.branch3x3dbl_3b = Conv(c(384), c(384), **column)
        self.branch_pool = Conv(i, c(192), 1)
        self.pool = pool

    def forward(self, x):
        three, dbl = self.branch3x3_1(x), self.branch3x3dbl_2(self.branch3x3dbl_1(x))
        return torch.cat([
            self.branch1x1(x),
            self.branch3x3_2a(three),
            self.branch3x3_2b(three),
            self.branch3x3dbl_3a(dbl),
            self.branch3x3dbl_3b(dbl),
            self.branch_pool(self.pool(x)),
        ], 1)


class Inception(nn.Module):
    """Pictures [N,3,H,W] in [0, 1] to a record of features."""

    def __init__(self, narrow=1):
        super().__init__()

        def c(channels):
            return channels // narrow

        self.Conv2d_1a_3x3 = Conv(3, c(32), 3, 2)
        self.Conv2d_2a_3x3 = Conv(c(32), c(32), 3)
        self.Conv2d_2b_3x3 = Conv(c(32), c(64), 3, padding=1)
        self.Conv2d_3b_1x1 = Conv(c(64), c(80), 1)
        self.Conv2d_4a_3x3 = Conv(c(80), c(192), 3)
        self.Mixed_5b = A(c(192), 32, c)
        self.Mixed_5c = A(c(256), 64, c)
        self.Mixed_5d = A(c(288), 64, c)
        self.Mixed_6a = B(c(288), c)
        self.Mixed_6b = C(c(768), 128, c)
        self.Mixed_6c = C(c(768), 160, c)
        self.Mixed_6d = C(c(768), 160, c)
        self.Mixed_6e = C(c(768), 192, c)
        self.Mixed_7a = D(c(768), c)
        self.Mixed_7b = E(c(1280), average3, c)
        self.Mixed_7c = E(c(2048), lambda x: max_pool2d(x, 3, 1, 1), c)
        self.fc = nn.Linear(c(2048), c(1008))
        self.eval()

    def forward(self, x):
        x = 2 * interpolate(x, (299, 299), mode="bilinear", align_corners=False) - 1
        x = max_pool2d(self.Conv2d_2b_3x3(self.Conv2d_2a_3x3(self.Conv2d_1a_3x3(x))), 3, 2)
        maps = {"64": x}
        x = maps["192"] = max_pool2d(self.Conv2d_4a_3x3(self.Conv2d_3b_1x1(x)), 3, 2)
        x = self.Mixed_6a(self.Mixed_5d(self.Mixed_5c(self.Mixed_5b(x))))
        x = maps["768"] = self.Mixed_6e(self.Mixed_6d(self.Mixed_6c(self.Mixed_6b(x))))
        maps["2048"] = self.Mixed_7c(self.Mixed_7b(self.Mixed_7a(x)))
        features = {name: adaptive_avg_pool2d(m, 1)[:, :, 0, 0] for name, m in maps.items()}
        features["logits"] = features["2048"] @ self.fc.weight.T
        return features


def pictures(random, noise):
    """Discs on gradients, with noise: [N,3,R,R] as bytes."""
    y, x = np.mgrid[0:R, 0:R] / R
    made = np.empty((N, 3, R, R))
    for picture in made:
        centre, radius = random.uniform(0.2, 0.8, 2), random.uniform(0.1, 0.4)
        disc = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
        for channel in picture:
            a, b, c, d = random.uniform(-1, 1, 4)
            channel[:] = np.where(disc, d, a * x + b * y + c / 2)
    made = 127.5 * (made + 1) + 255 * noise * random.standard_normal(made.shape)
    return torch.from_numpy(np.clip(np.rint(made), 0, 255).astype(np.uint8))


def frechet(a, b):
    """As pytorch-fid, but with the exact trace where the product of the covariances is singular."""
    a, b = a.numpy(), b.numpy()
    distance = ((a.mean(0) - b.mean(0)) ** 2).sum()
    if a.shape[1] < N:
        S1, S2 = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
        import scipy.linalg  # for this alone: bench/pytorch.py goes without

        return distance + np.trace(S1 + S2 - 2 * scipy.linalg.sqrtm(S1 @ S2).real)
    X, Y = (f - f.mean(0) for f in (a, b))
    root = np.linalg.svd(X @ Y.T, compute_uv=False).sum() / (N - 1)
    return distance + ((X**2).sum() + (Y**2).sum()) / (N - 1) - 2 * root


def main():
    torch.set_num_threads(2)
    torch.set_grad_enabled(False)
    net = Inception(NARROW).double()
    state = {
        name: t if name.endswith("num_batches_tracked") else draw(name, tuple(t.shape))
        for name, t in net.state_dict().items()
    }
    net.load_state_dict(state)
    random = np.random.default_rng(5)
    tensors = {"a": pictures(random, 0.02), "b": pictures(random, 0.15)}
    features = {name: net(tensors[name].double() / 255) for name in "ab"}
    for name, found in features.items():
        tensors |= {f"{name}/{key}": value for key, value in found.items()}
    for key in ("64", "192", "768", "2048"):
        tensors[f"fid/{key}"] = torch.tensor(frechet(features["a"][key], features["b"][key]))
    save_safetensors(FIXTURE, tensors, {"source": "tests/oracle/inception.py", "torch": torch.__version__})
    single = net.float()(tensors["a"].float() / 255)
    for key, value in single.items():
        exact = features["a"][key]
        print(f"{key}: float32 differs by {float((value - exact).abs().max() / exact.abs().max()):.1e}")
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size} bytes", {k: float(v) for k, v in tensors.items() if "fid" in k})


if __name__ == "__main__":
    main()
