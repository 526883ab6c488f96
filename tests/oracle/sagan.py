#!/usr/bin/env python3
"""SAGAN by PyTorch, and the fixture that holds our nets to it: tests/fixtures/sagan.safetensors.

All arithmetic is float64; inputs are exact in float32, results are rounded to float32 once. Layouts and names
are PyTorch's; spectral norm is torch.nn.utils.spectral_norm, told when to iterate. What the file holds (16 px, nz
6, ngf 4, ndf 2; attention at 8x8 in both nets, queries, keys and values C/2, keys and values pooled; spectral
norm in both; batch norm in G; minibatch discrimination, 100 kernels of 5, in D; N 4, T 10 steps):

  init/{G,D}.<name>   weights, statistics and vectors before anything ran; gamma 0.5, so that attention counts
  z [T,N,6]           latents, one batch a step
  real_u8 [T,N,3,16,16]  pictures as bytes; the value is float32(u8) / 127.5 - 1, each step in float32

  One power iteration of both nets from `init`, then G(z[0]), D(real[0]), D(fake) in training mode:
  spectra/{G,D}.<name>  u and v after the iteration
  out/fake, out/logits_real, out/logits_fake
  map/G               softmax of the queries and keys of G's attention, of the first picture,
                      [1, 64, 16]
  grad/D.<name>       of D's hinge loss for D's weights, fake held constant
  grad/G.<name>       of -E D(fake) for G's weights
  grad/real           of sum(D(real)) for the pictures
  r1/D.<name>         gradient of E |dD/dx|^2 at real: of a gradient

  Ten steps of training from `init`: Adam G 1e-3, D 4e-3 (0, 0.9), eps 1e-8. Step t: iteration of G; fake = G(z[t]);
  iteration of D; D's hinge loss + 0.5 E |dD/dx|^2 at real; D's Adam; G's loss is -E D(fake) through the updated D,
  whose vectors stay, with the same fake; G's Adam.
  losses [T,4]        D-real, D-fake, G, 0.5 E |dD/dx|^2
  final/{G,D}.<name>  weights, statistics and vectors after step T
"""

import copy
import math
import re
from pathlib import Path

import torch
from dcgan import save_safetensors, state
from layers import Discrimination, iterate, normed
from pggan import gradients, squared_slope
from torch import nn
from torch.nn import functional as F

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "sagan.safetensors"


class Attention(nn.Module):
    """y = x + gamma v(o), o_i = sum_j softmax_j(g(x)_i . f(x)_j) h(x)_j.

    Keys f and values h are maxima of 2x2 pixels if `pool`; values of `full` channels need no v.
    """

    def __init__(self, C, reduction=2, pool=True, full=False):
        super().__init__()
        conv = lambda i, o: normed(nn.Conv2d(i, o, 1, bias=False))  # noqa: E731
        self.f, self.g = conv(C, C // reduction), conv(C, C // reduction)
        self.h = conv(C, C if full else C // 2)
        self.v = nn.Identity() if full else conv(C // 2, C)
        self.gamma = nn.Parameter(torch.full((1,), 0.5))
        self.pool = pool

    def columns(self, x):
        return (F.max_pool2d(x, 2) if self.pool else x).flatten(2)

    def map(self, x):
        return torch.softmax(self.g(x).flatten(2).transpose(1, 2) @ self.columns(self.f(x)), 2)

    def forward(self, x):
        o = (self.columns(self.h(x)) @ self.map(x).transpose(1, 2)).reshape(x.shape[0], -1, *x.shape[2:])
        return x + self.gamma * self.v(o)


class Block(nn.Module):
    def __init__(self, conv, norm, slope, attention, kind):
        super().__init__()
        self.conv = normed(conv)
        if norm:
            self.norm = nn.BatchNorm2d(norm)
        if attention:
            self.attention = Attention(attention, **kind)
        self.slope = slope

    def forward(self, x):
        x = self.conv(x)
        if hasattr(self, "norm"):
            x = self.norm(x)
        x = F.leaky_relu(x, self.slope) if self.slope else F.relu(x)
        return self.attention(x) if hasattr(self, "attention") else x


class Generator(nn.Module):
    """[N, nz] -> [N, 3, R, R]; `kind` are options of Attention."""

    def __init__(self, resolution, nz, ngf, attention, **kind):
        super().__init__()
        n = int(math.log2(resolution / 4))
        blocks, inputs = [], nz
        for i in range(n):
            c, size = ngf * 2 ** (n - 1 - i), 4 * 2**i
            up = (4, 1, 0) if i == 0 else (4, 2, 1)
            conv = nn.ConvTranspose2d(inputs, c, *up, bias=False)
            blocks.append(Block(conv, c, 0, c if size == attention else 0, kind))
            inputs = c
        self.blocks = nn.Sequential(*blocks)
        self.output = normed(nn.ConvTranspose2d(ngf, 3, 4, 2, 1))

    def forward(self, z):
        return torch.tanh(self.output(self.blocks(z[:, :, None, None])))


class Discriminator(nn.Module):
    """[N, 3, R, R] -> logits [N]; with `norm` batch norm in all blocks but the first."""

    def __init__(self, resolution, ndf, attention, kernels=100, norm=False, **kind):
        super().__init__()
        blocks, inputs = [], 3
        for i in range(int(math.log2(resolution / 4))):
            c, size = ndf * 2**i, resolution // 2 ** (i + 1)
            with_norm = norm and i > 0
            conv = nn.Conv2d(inputs, c, 4, 2, 1, bias=not with_norm)
            blocks.append(Block(conv, c if with_norm else 0, 0.2, c if size == attention else 0, kind))
            inputs = c
        self.blocks = nn.Sequential(*blocks)
        self.discrimination = Discrimination(inputs, kernels) if kernels else nn.Identity()
        self.output = normed(nn.Conv2d(inputs + kernels, 1, 4))

    def forward(self, x):
        return self.output(self.discrimination(self.blocks(x))).flatten()


def hinge(on_real, on_fake):
    return F.relu(1 - on_real).mean(), F.relu(1 + on_fake).mean()


def train_step(G, D, adam_G, adam_D, z, real, r1=0.5):
    """One step; returns D-real, D-fake, G's loss, r1 E |dD/dx|^2 if r1 is not 0."""
    iterate(G)
    fake = G(z)
    iterate(D)
    losses = [*hinge(D(real), D(fake.detach()))]
    if r1:
        losses.append(r1 * squared_slope(D, real.clone().requires_grad_()).mean())
    adam_D.zero_grad(set_to_none=True)
    sum(losses).backward()
    adam_D.step()

    D.requires_grad_(False)  # G's step needs D's input gradient only
    loss_G = -D(fake).mean()
    adam_G.zero_grad(set_to_none=True)
    loss_G.backward()
    adam_G.step()
    D.requires_grad_(True)
    losses.insert(2, loss_G)
    return torch.stack(losses).detach()


def first_batch(G, D, z, real):
    iterate(G)
    iterate(D)
    vectors = {k: v for k, v in state("spectra", G=G, D=D).items() if k.endswith(("weight_u", "weight_v"))}
    real = real.clone().requires_grad_()
    fake = G(z)
    on_real, on_fake = D(real), D(fake)
    out = {**vectors, "out/fake": fake, "out/logits_real": on_real, "out/logits_fake": on_fake}
    out |= gradients("grad", D, "D", sum(hinge(on_real, on_fake)))
    out |= gradients("grad", G, "G", -on_fake.mean())
    (out["grad/real"],) = torch.autograd.grad(on_real.sum(), real, retain_graph=True)
    out |= gradients("r1", D, "D", squared_slope(D, real).mean())
    seen = {}
    hook = G.blocks[1].attention.register_forward_pre_hook(lambda _, args: seen.update(x=args[0]))
    G.eval()  # the map is of the pictures that `sample` makes, with the running statistics
    G(z)
    hook.remove()
    out["map/G"] = G.blocks[1].attention.map(seen["x"][:1])
    return out


def optimisers(G, D, lr_G=1e-3, lr_D=4e-3):
    return [torch.optim.Adam(net.parameters(), lr=lr, betas=(0.0, 0.9), eps=1e-8) for net, lr in ((G, lr_G), (D, lr_D))]


def train(G, D, z, real):
    adams = optimisers(G, D)
    losses = [train_step(G, D, *adams, *batch) for batch in zip(z, real)]
    return {"losses": torch.stack(losses), **state("final", G=G, D=D)}


def fill(net):
    """Draws first weights, and moves what would begin at 0 or 1."""
    for name, p in net.named_parameters():
        if name.endswith("weight_orig"):
            nn.init.normal_(p, 0, 0.2)
        elif name.endswith("bias") and "discrimination" not in name:
            nn.init.normal_(p, 0, 0.2)
        elif re.search(r"norm\d?\.weight$", name):
            nn.init.normal_(p, 1, 0.2)


def make(path, source, nets, N=4, R=16, nz=6, steps=10):
    """Writes the fixture of these networks, G and D."""
    for net in nets:
        fill(net)
    G, D = nets
    z = torch.randn(steps, N, nz)
    real_u8 = torch.randint(0, 256, (steps, N, 3, R, R), dtype=torch.uint8)
    real = real_u8.float() / 127.5 - 1
    # Logits about 0, where the hinge bends.
    with torch.no_grad():
        iterate(D)
        D.output.bias -= D(real[0]).mean()

    def compute(dtype):
        nets = [copy.deepcopy(net).to(dtype) for net in (G, D)]
        again = [copy.deepcopy(net) for net in nets]
        zs, reals = z.to(dtype), real.to(dtype)
        return {**first_batch(*nets, zs[0], reals[0]), **train(*again, zs, reals)}

    exact, single = compute(torch.float64), compute(torch.float32)
    given = {**state("init", G=G, D=D), "z": z, "real_u8": real_u8}
    save_safetensors(path, {**given, **exact}, {"source": source, "torch": torch.__version__})

    # How far float32 itself lies from the fixture: a tolerance below this asks for too much.
    for folder in ("spectra", "out", "map", "grad", "r1", "losses", "final"):
        pairs = [(exact[k], single[k]) for k in exact if k.split("/")[0] == folder]
        worst = max(float((a - b).abs().max() / (a.abs().max() + 1e-12)) for a, b in pairs)
        print(f"{folder}: float32 differs by {worst:.1e} of the tensor's largest value")
    print(f"{path.name}: {path.stat().st_size} bytes, losses of step 1 and {steps}:")
    print(exact["losses"][[0, -1]].numpy())


def main():
    torch.manual_seed(22)
    torch.set_num_threads(1)
    make(FIXTURE, "tests/oracle/sagan.py", (Generator(16, 6, 4, 8), Discriminator(16, 2, 8)))


if __name__ == "__main__":
    main()
