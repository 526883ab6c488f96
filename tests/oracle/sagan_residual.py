#!/usr/bin/env python3
"""SAGAN with residual blocks by PyTorch, and the fixture that holds our nets to it: tests/fixtures/sagan_residual.safetensors.

The blocks are those of the authors' code (github.com/google/self-attention-gan, generator.py and discriminator.py), with its
order of resampling and 1x1 convolutions, which ours turns round, but without the biases in G, which vanish in batch norms.
Sizes, contents and steps are those of sagan.py.
"""

from pathlib import Path

import torch
from layers import Discrimination, normed
from sagan import Attention, make
from torch import nn
from torch.nn import functional as F

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "sagan_residual.safetensors"


def conv(inputs, outputs, kernel, bias=True):
    return normed(nn.Conv2d(inputs, outputs, kernel, 1, kernel // 2, bias=bias))


class Up(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(inputs), nn.BatchNorm2d(outputs)
        self.conv1, self.conv2 = conv(inputs, outputs, 3, bias=False), conv(outputs, outputs, 3, bias=False)
        self.skip = conv(inputs, outputs, 1, bias=False)

    def forward(self, x):
        twice = lambda x: F.interpolate(x, scale_factor=2, mode="nearest")  # noqa: E731
        inside = self.conv1(twice(F.relu(self.norm1(x))))
        return self.skip(twice(x)) + self.conv2(F.relu(self.norm2(inside)))


class Down(nn.Module):
    def __init__(self, inputs, outputs, first=False, last=False):
        super().__init__()
        self.conv1, self.conv2 = conv(inputs, outputs, 3), conv(outputs, outputs, 3)
        if not last:
            self.skip = conv(inputs, outputs, 1, bias=False)
        self.first, self.last = first, last

    def forward(self, x):
        inside = self.conv2(F.relu(self.conv1(x if self.first else F.relu(x))))
        if self.last:
            return x + inside
        beside = self.skip(F.avg_pool2d(x, 2)) if self.first else F.avg_pool2d(self.skip(x), 2)
        return beside + F.avg_pool2d(inside, 2)


class Step(nn.Module):
    def __init__(self, block, norm=0, attention=0):
        super().__init__()
        self.conv = block
        if norm:
            self.norm = nn.BatchNorm2d(norm)
        if attention:
            self.attention = Attention(attention)

    def forward(self, x):
        x = self.conv(x)
        if hasattr(self, "norm"):
            x = F.relu(self.norm(x))
        return self.attention(x) if hasattr(self, "attention") else x


class Generator(nn.Module):
    """[N, nz] -> [N, 3, 16, 16], with attention at 8x8."""

    def __init__(self, nz, ngf):
        super().__init__()
        first = normed(nn.ConvTranspose2d(nz, 2 * ngf, 4, bias=False))
        self.blocks = nn.Sequential(
            Step(first),
            Step(Up(2 * ngf, 2 * ngf), attention=2 * ngf),
            Step(Up(2 * ngf, ngf), norm=ngf),
        )
        self.output = conv(ngf, 3, 3)

    def forward(self, z):
        return torch.tanh(self.output(self.blocks(z[:, :, None, None])))


class Discriminator(nn.Module):
    """[N, 3, 16, 16] -> logits [N]."""

    def __init__(self, ndf, kernels=100):
        super().__init__()
        self.blocks = nn.Sequential(
            Step(Down(3, ndf, first=True), attention=ndf),
            Step(Down(ndf, 2 * ndf)),
            Step(Down(2 * ndf, 2 * ndf, last=True)),
        )
        self.discrimination = Discrimination(2 * ndf, kernels)
        self.output = conv(2 * ndf + kernels, 1, 1)

    def forward(self, x):
        seen = self.discrimination(F.relu(self.blocks(x)))
        return self.output(seen.sum((2, 3), keepdim=True)).flatten()


def main():
    torch.manual_seed(31)
    torch.set_num_threads(1)
    make(FIXTURE, "tests/oracle/sagan_residual.py", (Generator(6, 4), Discriminator(2)))


if __name__ == "__main__":
    main()
