#!/usr/bin/env python3
"""DCGAN by PyTorch, and the fixture that holds our nets to it: tests/fixtures/dcgan.safetensors.

All arithmetic is float64; inputs are exact in float32, results are rounded to float32 once. Layouts and
names are PyTorch's. What the file holds (G: 16 px, nz 8, ngf 4; D: ndf 4; N 6; T 10 steps):

  init/{G,D}.<name>   weights and running statistics before anything ran
  z [T,N,8]           latents, one batch a step
  real_u8 [T,N,3,16,16]  pictures as bytes; the value is float32(u8) / 127.5 - 1, each step in float32

  One forward in training mode from `init`, in the order G(z[0]), D(real[0]), D(fake):
  out/fake, out/logits_real, out/logits_fake
  grad/D.<name>       of BCE(D(real), 1) + BCE(D(fake), 0) for D's weights, fake held constant
  grad/G.<name>       of BCE(D(fake), 1) for G's weights, D not updated yet (same three forwards)
  grad/real           of sum(D(real)) for the pictures
  stats/{G,D}.<name>  running statistics afterwards: G's moved once, D's twice (real, then fake)

  Ten steps of training from `init` (not from the state above), Adam 2e-3 (0.5, 0.999), eps 1e-8. Step t:
  fake = G(z[t]); D-real = BCE(D(real[t]), 1); D-fake = BCE(D(fake), 0) in a pass of its own; D's Adam; then
  G = BCE(D(fake), 1) through the updated D, with the same fake; G's Adam. D's statistics move three times a
  step (real, fake, G's pass), G's once.
  losses [T,3]        D-real, D-fake, G
  final/{G,D}.<name>  weights and running statistics after step T

  loss_cases/real, loss_cases/fake [6]   logits r, f
  loss_cases/<loss>.{D,G} []             scalars, E the mean over the batch:
    bce_smooth  D: BCE(r, 0.9) + BCE(f, 0)                       G: BCE(f, 1)
    lsgan       D: E (r - 1)^2 / 2 + E f^2 / 2                   G: E (f - 1)^2 / 2   (Mao 2017, eq. 9)
    hinge       D: E max(0, 1 - r) + E max(0, 1 + f)             G: -E f
    wgan        D: E f - E r                                     G: -E f
"""

import copy
import json
import math
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, relu

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "dcgan.safetensors"


class Block(nn.Module):
    """Convolution, batch norm (or none), activation."""

    def __init__(self, conv, channels, slope):
        super().__init__()
        self.conv = conv
        if channels:
            self.norm = nn.BatchNorm2d(channels)
        self.slope = slope

    def forward(self, x):
        x = self.conv(x)
        if hasattr(self, "norm"):
            x = self.norm(x)
        return nn.functional.leaky_relu(x, self.slope) if self.slope else relu(x)


class Generator(nn.Module):
    """[N, nz] -> [N, 3, R, R]: 4x4 at ngf * R/8 channels, then twice the size and half the channels a block."""

    def __init__(self, resolution, nz, ngf, channels=3):
        super().__init__()
        c = ngf * resolution // 8
        blocks = [Block(nn.ConvTranspose2d(nz, c, 4, 1, 0, bias=False), c, 0)]
        while c > ngf:
            up = nn.ConvTranspose2d(c, c // 2, 4, 2, 1, bias=False)
            blocks.append(Block(up, c // 2, 0))
            c //= 2
        self.blocks = nn.Sequential(*blocks)
        self.output = nn.ConvTranspose2d(ngf, channels, 4, 2, 1, bias=False)

    def forward(self, z):
        return torch.tanh(self.output(self.blocks(z[:, :, None, None])))


class Discriminator(nn.Module):
    """[N, 3, R, R] -> logits [N]: half the size and twice the channels a block, down to 4x4."""

    def __init__(self, resolution, ndf, channels=3):
        super().__init__()
        c = ndf
        blocks = [Block(nn.Conv2d(channels, c, 4, 2, 1, bias=False), 0, 0.2)]
        for _ in range(int(math.log2(resolution)) - 3):
            blocks.append(Block(nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), 2 * c, 0.2))
            c *= 2
        self.blocks = nn.Sequential(*blocks)
        self.output = nn.Conv2d(c, 1, 4, 1, 0, bias=False)

    def forward(self, x):
        return self.output(self.blocks(x)).flatten()


def initialise(net, std=0.02):
    """Convolutions N(0, std); batch norm's weight N(1, 0.02), bias 0."""
    for m in net.modules():
        if isinstance(m, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.normal_(m.weight, 0, std)
        elif isinstance(m, nn.BatchNorm2d):
            nn.init.normal_(m.weight, 1, 0.02)
            nn.init.zeros_(m.bias)
    return net


def bce(logits, label):
    return binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def train_step(G, D, adam_G, adam_D, z, real):
    """One DCGAN step; returns the losses D-real, D-fake, G as tensors."""
    fake = G(z)
    loss_real = bce(D(real), 1)
    adam_D.zero_grad(set_to_none=True)
    loss_real.backward()
    loss_fake = bce(D(fake.detach()), 0)
    loss_fake.backward()
    adam_D.step()

    D.requires_grad_(False)  # G's step needs D's input gradient only
    loss_G = bce(D(fake), 1)
    adam_G.zero_grad(set_to_none=True)
    loss_G.backward()
    adam_G.step()
    D.requires_grad_(True)
    return loss_real.detach(), loss_fake.detach(), loss_G.detach()


def optimisers(G, D, lr):
    return [torch.optim.Adam(net.parameters(), lr=lr, betas=(0.5, 0.999), eps=1e-8) for net in (G, D)]


def state(folder, **nets):
    """Weights and running statistics of the nets by path."""
    return {
        f"{folder}/{net}.{name}": value.detach().clone()
        for net, module in nets.items()
        for name, value in module.state_dict().items()
        if not name.endswith("num_batches_tracked")
    }


def first_forward(G, D, z, real):
    real = real.clone().requires_grad_()
    fake = G(z)
    logits_real = D(real)
    logits_fake = D(fake.detach())
    loss_D = bce(logits_real, 1) + bce(logits_fake, 0)
    out = {"out/fake": fake, "out/logits_real": logits_real, "out/logits_fake": logits_fake}
    names = [n for n, _ in D.named_parameters()]
    grads = torch.autograd.grad(loss_D, list(D.parameters()), retain_graph=True)
    out |= {f"grad/D.{n}": g for n, g in zip(names, grads)}
    (out["grad/real"],) = torch.autograd.grad(logits_real.sum(), real)
    out |= {k: v for k, v in state("stats", G=G, D=D).items() if "running" in k}
    # G's gradient after the statistics are taken: in training mode they do not change what D computes.
    grads = torch.autograd.grad(bce(D(fake), 1), list(G.parameters()))
    out |= {f"grad/G.{n}": g for (n, _), g in zip(G.named_parameters(), grads)}
    return out


def train(G, D, z, real, lr=2e-3):
    adam_G, adam_D = optimisers(G, D, lr)
    losses = [torch.stack(train_step(G, D, adam_G, adam_D, *b)) for b in zip(z, real)]
    return {"losses": torch.stack(losses), **state("final", G=G, D=D)}


def loss_cases():
    # 100 overflows a softplus that is written log(1 + exp(x)).
    r = torch.tensor([-3, -1, -0.25, 0.5, 1.75, 100], dtype=torch.float64)
    f = torch.tensor([2.5, 1, 0.125, -0.75, -1.5, -100], dtype=torch.float64)
    cases = {
        "bce_smooth": (bce(r, 0.9) + bce(f, 0), bce(f, 1)),
        "lsgan": (((r - 1) ** 2).mean() / 2 + (f**2).mean() / 2, ((f - 1) ** 2).mean() / 2),
        "hinge": (relu(1 - r).mean() + relu(1 + f).mean(), -f.mean()),
        "wgan": (f.mean() - r.mean(), -f.mean()),
    }
    out = {"loss_cases/real": r, "loss_cases/fake": f}
    for name, (d, g) in cases.items():
        out |= {f"loss_cases/{name}.D": d, f"loss_cases/{name}.G": g}
    return out


def save_safetensors(path, tensors, metadata):
    """8 bytes of header length, the header as JSON padded to 8, the data in the header's order."""
    header, chunks, offset = {"__metadata__": metadata}, [], 0
    for name, t in sorted(tensors.items(), key=lambda kv: (kv[1].dtype == torch.uint8, kv[0])):
        dtype = "U8" if t.dtype == torch.uint8 else "F32"
        data = np.ascontiguousarray(t.detach().numpy(), "u1" if dtype == "U8" else "<f4").tobytes()
        end = offset + len(data)
        header[name] = {"dtype": dtype, "shape": list(t.shape), "data_offsets": [offset, end]}
        chunks.append(data)
        offset = end
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(chunks))


def main():
    torch.manual_seed(20)
    torch.set_num_threads(1)
    steps, N, R, nz = 10, 6, 16, 8
    G, D = initialise(Generator(R, nz, 4), 0.2), initialise(Discriminator(R, 4), 0.2)
    z = torch.randn(steps, N, nz)
    real_u8 = torch.randint(0, 256, (steps, N, 3, R, R), dtype=torch.uint8)
    real = real_u8.float() / 127.5 - 1

    def compute(dtype):
        nets = [copy.deepcopy(net).to(dtype) for net in (G, D)]
        again = [copy.deepcopy(net) for net in nets]
        zs, reals = z.to(dtype), real.to(dtype)
        return {**first_forward(*nets, zs[0], reals[0]), **train(*again, zs, reals)}

    exact, single = compute(torch.float64), compute(torch.float32)
    given = {**state("init", G=G, D=D), "z": z, "real_u8": real_u8}
    metadata = {"source": "tests/oracle/dcgan.py", "torch": torch.__version__}
    save_safetensors(FIXTURE, {**given, **exact, **loss_cases()}, metadata)

    # How far float32 itself lies from the fixture: a tolerance below this asks for too much.
    for folder in ("out", "grad", "stats", "losses", "final"):
        pairs = [(exact[k], single[k]) for k in exact if k.split("/")[0] == folder]
        worst = max(float((a - b).abs().max() / a.abs().max()) for a, b in pairs)
        print(f"{folder}: float32 differs by {worst:.1e} of the tensor's largest value")
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size} bytes, losses of step 1 and {steps}:")
    print(exact["losses"][[0, -1]].numpy())


if __name__ == "__main__":
    main()
