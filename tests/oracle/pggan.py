#!/usr/bin/env python3
"""PGGAN by PyTorch, and the fixture that holds our nets to it: tests/fixtures/pggan.safetensors.

All arithmetic is float64; inputs are exact in float32, results are rounded to float32 once. Layouts and names
are PyTorch's. What the file holds (two levels, 4 and 8 px, the second being faded in at alpha 0.3; channels
16 / 2^(level + 1), at most 6; nz 5, N 8, T 10 steps):

  init/{G,D}.<name>   weights before anything ran, N(0, 1); biases N(0, 0.5), so that they count
  z [T,N,5]           latents, one batch a step
  real_u8 [T,N,3,8,8] pictures as bytes; the value is float32(u8) / 127.5 - 1, each step in float32
  mix [T,N]           where WGAN-GP looks: x = mix real + (1 - mix) fake

  From `init`, with the first batch:
  out/fake, out/logits_real, out/logits_fake
  grad/D.<name>       of E D(fake) - E D(real) for D's weights, fake held constant
  grad/G.<name>       of -E D(fake) for G's weights
  grad/real           of sum(D(real)) for the pictures
  penalty []          E (|dD/dx| - 1)^2, the length as sqrt(sum of squares + 1e-12)
  penalty/D.<name>    its gradient: of a gradient
  r1/D.<name>         gradient of E |dD/dx|^2 at real

  Ten steps of training from `init`, Adam 1e-3 (0, 0.99), eps 1e-8. Step t: fake = G(z[t]); D's loss is
  E D(fake) - E D(real) + 10 penalty + 0.001 E D(real)^2; D's Adam; G's loss is -E D(fake) through the updated
  D, with the same fake; G's Adam.
  losses [T,4]        -E D(real), E D(fake), G's, 10 penalty + 0.001 E D(real)^2
  final/{G,D}.<name>  weights after step T
"""

import copy
import math
from pathlib import Path

import torch
from dcgan import save_safetensors, state
from layers import Discrimination, normed
from torch import nn
from torch.nn import functional as F

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "pggan.safetensors"


def channels(base, most, level):
    return min(base // 2 ** (level + 1), most)


class Conv(nn.Module):
    """A convolution with an equalised learning rate; `spread` from one pixel to kernel^2."""

    def __init__(self, inputs, outputs, kernel, padding, gain=math.sqrt(2), spread=False):
        super().__init__()
        shape = (inputs, outputs) if spread else (outputs, inputs)
        self.weight = nn.Parameter(torch.randn(*shape, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = gain / math.sqrt(inputs * kernel**2)
        self.padding, self.spread = padding, spread

    def forward(self, x):
        w = self.weight * self.scale
        return F.conv_transpose2d(x, w, self.bias) if self.spread else F.conv2d(x, w, self.bias, padding=self.padding)


class Linear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.scale = 1 / math.sqrt(inputs)

    def forward(self, x):
        return F.linear(x, self.weight * self.scale, self.bias)


class Step(nn.Module):
    """A convolution, batch norm where there are `normed` channels, a leaky ReLU."""

    def __init__(self, conv, normed):
        super().__init__()
        self.conv = conv
        if normed:
            self.norm = nn.BatchNorm2d(normed)

    def forward(self, x):
        x = self.conv(x)
        return F.leaky_relu(self.norm(x) if hasattr(self, "norm") else x, 0.2)


def pixel_norm(x):
    return x / torch.sqrt(x.square().mean(1, keepdim=True) + 1e-8)


def minibatch_stddev(x, group=4):
    """The authors' way: samples j, j + N/g, ... form a group; one map more."""
    N, C, H, W = x.shape
    g = min(group, N)
    y = x.reshape(g, N // g, C, H, W)
    y = torch.sqrt((y - y.mean(0, keepdim=True)).square().mean(0) + 1e-8)
    y = y.mean((1, 2, 3), keepdim=True)
    return torch.cat([x, y.repeat(g, 1, H, W)], 1)


def mix(old, new, alpha):
    return (1 - alpha) * old + alpha * new


class Equalised:
    """Makes layers with an equalised learning rate."""

    def conv(self, inputs, outputs, kernel, padding, gain=math.sqrt(2), bias=True):
        return Conv(inputs, outputs, kernel, padding, gain)

    def spread(self, inputs, outputs, bias=True):
        return Conv(inputs, outputs, 4, 0, spread=True)

    def linear(self, inputs, outputs):
        return Linear(inputs, outputs)


class Spectral:
    """Makes layers with spectral norm."""

    def conv(self, inputs, outputs, kernel, padding, gain=1, bias=True):
        return normed(nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=bias))

    def spread(self, inputs, outputs, bias=True):
        return normed(nn.ConvTranspose2d(inputs, outputs, 4, bias=bias))

    def linear(self, inputs, outputs):
        return normed(nn.Linear(inputs, outputs))


class Generator(nn.Module):
    """[N, nz] -> [N, 3, R, R]; alpha below 1 if the newest level is being faded in.

    `norm` for batch norm behind each layer, and tanh, in place of pixel norm.
    """

    def __init__(self, resolution, nz, base, most, fading=True, norm=False, make=Equalised()):
        super().__init__()
        self.top, self.fading, self.norm, self.alpha = int(math.log2(resolution / 4)), fading, norm, 1.0
        C = lambda level: channels(base, most, level)  # noqa: E731
        step = lambda conv, outputs: Step(conv, outputs if norm else 0)  # noqa: E731
        self.blocks = nn.ModuleList()
        for level in range(self.top + 1):
            c = C(level)
            first = make.spread(nz, c, not norm) if level == 0 else make.conv(C(level - 1), c, 3, 1, bias=not norm)
            self.blocks.append(nn.ModuleList([step(first, c), step(make.conv(c, c, 3, 1, bias=not norm), c)]))
        shown = [self.top - 1, self.top] if fading else [self.top]
        self.toRgb = nn.ModuleDict({str(level): make.conv(C(level), 3, 1, 0, 1) for level in shown})

    def forward(self, z):
        normalised = (lambda x: x) if self.norm else pixel_norm
        x = normalised(z)[:, :, None, None]
        for level, block in enumerate(self.blocks):
            below = x
            if level > 0:
                x = F.interpolate(x, scale_factor=2, mode="nearest")
            for step in block:
                x = normalised(step(x))
        rgb = self.toRgb[str(self.top)](x)
        if self.fading:
            old = self.toRgb[str(self.top - 1)](below)
            rgb = mix(F.interpolate(old, scale_factor=2, mode="nearest"), rgb, self.alpha)
        return torch.tanh(rgb) if self.norm else rgb


class Discriminator(nn.Module):
    """[N, 3, R, R] -> [N]; with `kernels` minibatch discrimination in place of the deviation."""

    def __init__(self, resolution, base, most, fading=True, norm=False, make=Equalised(), kernels=0):
        super().__init__()
        self.top, self.fading, self.alpha = int(math.log2(resolution / 4)), fading, 1.0
        C = lambda level: channels(base, most, level)  # noqa: E731
        step = lambda conv, outputs: Step(conv, outputs if norm else 0)  # noqa: E731
        shown = [self.top - 1, self.top] if fading else [self.top]
        self.fromRgb = nn.ModuleDict({str(level): make.conv(3, C(level), 1, 0) for level in shown})
        self.blocks = nn.ModuleList()
        for level in range(self.top + 1):
            c, fewer = C(level), C(level - 1)
            seen = c + 1 if level == 0 and not kernels else c
            second = make.conv(c, fewer, *((4, 0) if level == 0 else (3, 1)), bias=not norm)
            first = make.conv(seen, c, 3, 1, bias=not norm)
            self.blocks.append(nn.ModuleList([step(first, c), step(second, fewer)]))
        self.discrimination = Discrimination(C(-1), kernels) if kernels else None
        self.output = make.linear(C(-1) + kernels, 1)

    def forward(self, picture):
        seen = lambda level, x: F.leaky_relu(self.fromRgb[str(level)](x), 0.2)  # noqa: E731
        x = seen(self.top, picture)
        for level in range(self.top, -1, -1):
            if level == 0 and not self.discrimination:
                x = minibatch_stddev(x)
            for step in self.blocks[level]:
                x = step(x)
            if level > 0:
                x = F.avg_pool2d(x, 2)
            if level == self.top and self.fading:
                x = mix(seen(level - 1, F.avg_pool2d(picture, 2)), x, self.alpha)
        if self.discrimination:
            x = self.discrimination(x)
        return self.output(x.flatten(1)).flatten()


def squared_slope(D, x):
    (dx,) = torch.autograd.grad(D(x).sum(), x, create_graph=True)
    return dx.square().sum((1, 2, 3))


def gradient_penalty(D, real, fake, t):
    x = (fake + t[:, None, None, None] * (real - fake)).detach().requires_grad_()
    return (torch.sqrt(squared_slope(D, x) + 1e-12) - 1).square().mean()


def train_step(G, D, adam_G, adam_D, z, real, t):
    """One step; returns -E D(real), E D(fake), G's loss, 10 penalty + 0.001 E D(real)^2."""
    fake = G(z)
    on_real, on_fake = D(real), D(fake.detach())
    penalty = 10 * gradient_penalty(D, real, fake.detach(), t) + 1e-3 * on_real.square().mean()
    adam_D.zero_grad(set_to_none=True)
    (on_fake.mean() - on_real.mean() + penalty).backward()
    adam_D.step()

    D.requires_grad_(False)  # G's step needs D's input gradient only
    loss_G = -D(fake).mean()
    adam_G.zero_grad(set_to_none=True)
    loss_G.backward()
    adam_G.step()
    D.requires_grad_(True)
    return -on_real.mean().detach(), on_fake.mean().detach(), loss_G.detach(), penalty.detach()


def optimisers(G, D, lr=1e-3):
    return [torch.optim.Adam(net.parameters(), lr=lr, betas=(0.0, 0.99), eps=1e-8) for net in (G, D)]


def gradients(folder, net, name, y):
    names, params = zip(*net.named_parameters())
    grads = torch.autograd.grad(y, params, retain_graph=True, allow_unused=True)
    # The penalties do not depend on the last bias.
    pairs = zip(names, params, grads)
    return {f"{folder}/{name}.{n}": torch.zeros_like(p) if g is None else g for n, p, g in pairs}


def first_batch(G, D, z, real, t):
    real = real.clone().requires_grad_()
    fake = G(z)
    on_real, on_fake = D(real), D(fake)
    out = {"out/fake": fake, "out/logits_real": on_real, "out/logits_fake": on_fake}
    out |= gradients("grad", D, "D", on_fake.mean() - on_real.mean())
    out |= gradients("grad", G, "G", -on_fake.mean())
    (out["grad/real"],) = torch.autograd.grad(on_real.sum(), real, retain_graph=True)
    out["penalty"] = gradient_penalty(D, real, fake.detach(), t)
    out |= gradients("penalty", D, "D", out["penalty"])
    out |= gradients("r1", D, "D", squared_slope(D, real).mean())
    return out


def train(G, D, z, real, t):
    adams = optimisers(G, D)
    losses = [torch.stack(train_step(G, D, *adams, *batch)) for batch in zip(z, real, t)]
    return {"losses": torch.stack(losses), **state("final", G=G, D=D)}


def main():
    torch.manual_seed(21)
    torch.set_num_threads(1)
    steps, N, R, nz, base, most = 10, 8, 8, 5, 16, 6
    G, D = Generator(R, nz, base, most), Discriminator(R, base, most)
    for net in (G, D):
        net.alpha = 0.3
        for name, p in net.named_parameters():
            if name.endswith("bias"):
                nn.init.normal_(p, 0, 0.5)
    z = torch.randn(steps, N, nz)
    real_u8 = torch.randint(0, 256, (steps, N, 3, R, R), dtype=torch.uint8)
    t = torch.rand(steps, N)
    real = real_u8.float() / 127.5 - 1

    def compute(dtype):
        nets = [copy.deepcopy(net).to(dtype) for net in (G, D)]
        again = [copy.deepcopy(net) for net in nets]
        zs, reals, ts = z.to(dtype), real.to(dtype), t.to(dtype)
        return {**first_batch(*nets, zs[0], reals[0], ts[0]), **train(*again, zs, reals, ts)}

    exact, single = compute(torch.float64), compute(torch.float32)
    given = {**state("init", G=G, D=D), "z": z, "real_u8": real_u8, "mix": t}
    metadata = {"source": "tests/oracle/pggan.py", "torch": torch.__version__}
    save_safetensors(FIXTURE, {**given, **exact}, metadata)

    # How far float32 itself lies from the fixture: a tolerance below this asks for too much.
    for folder in ("out", "grad", "penalty", "r1", "losses", "final"):
        pairs = [(exact[k], single[k]) for k in exact if k.split("/")[0] == folder]
        worst = max(float((a - b).abs().max() / (a.abs().max() + 1e-12)) for a, b in pairs)
        print(f"{folder}: float32 differs by {worst:.1e} of the tensor's largest value")
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size} bytes, losses of step 1 and {steps}:")
    print(exact["losses"][[0, -1]].detach().numpy())


if __name__ == "__main__":
    main()
