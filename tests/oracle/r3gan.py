#!/usr/bin/env python3
"""R3GAN by PyTorch, and the fixture that holds our networks to it: tests/fixtures/r3gan.safetensors.

All arithmetic is float64; inputs are exact in float32, results are rounded to float32 once. Layouts and names
are PyTorch's. What the file holds (16 px, nz 6, channels 8, 8 and 4 at 4, 8 and 16 px, two blocks a level, groups
of 4 channels; N 4, T 10 steps):

  init/{G,D}.<name>   weights before anything ran; the last convolution of a block is not 0 here
  z [T,N,6]           latents, one batch a step
  real_u8 [T,N,3,16,16]  images as bytes; the value is float32(u8) / 127.5 - 1, each step in float32

  From `init`, G(z[0]), D(real[0]), D(fake):
  out/fake, out/logits_real, out/logits_fake
  grad/D.<name>       of D's loss, E softplus(D(fake) - D(real)), for D's weights, fake held constant
  grad/G.<name>       of G's loss, E softplus(D(real) - D(fake)), for G's weights
  r1/D.<name>         gradient of E |dD/dx|^2 at real: of a gradient
  r2/D.<name>         the same at fake

  Ten steps of training from `init`: Adam lr 1e-3, betas (0, 0.9), eps 1e-8, both of which move by a cosine to
  2.5e-4 and 0.99 over eight steps, as does gamma from 50 to 5. Step t: fake = G(z[t]); D's loss + gamma / 2
  times (E |dD/dx|^2 at real + the same at fake); D's Adam; G's loss through the updated D, with the same fake;
  G's Adam.
  losses [T,3]        D's and G's without penalties, and the penalties
  final/{G,D}.<name>  weights after step T
"""

import copy
import math
from pathlib import Path

import torch
from dcgan import save_safetensors, state
from pggan import gradients, squared_slope
from torch import nn
from torch.nn import functional as F

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "r3gan.safetensors"
SLOPE = 0.2
GAIN = math.sqrt(2 / (1 + SLOPE**2))


def smoothed(x):
    """[1, 2, 1] / 4 along both axes, with zeros around the images."""
    taps = torch.tensor([1.0, 2.0, 1.0], dtype=x.dtype) / 4
    kernel = (taps[:, None] * taps).expand(x.shape[1], 1, 3, 3)
    return F.conv2d(x, kernel, padding=1, groups=x.shape[1])


def up(x):
    return smoothed(F.interpolate(x, scale_factor=2, mode="nearest"))


def down(x):
    return F.avg_pool2d(smoothed(x), 2)


class Block(nn.Module):
    """A residual block."""

    def __init__(self, C, group):
        super().__init__()
        self.conv1 = nn.Conv2d(C, 2 * C, 1)
        self.conv2 = nn.Conv2d(2 * C, 2 * C, 3, padding=1, groups=2 * C // group)
        self.conv3 = nn.Conv2d(2 * C, C, 1, bias=False)

    def forward(self, x):
        y = F.leaky_relu(self.conv1(x), SLOPE)
        return x + self.conv3(F.leaky_relu(self.conv2(y), SLOPE))


class Level(nn.Module):
    """Residual blocks, and a convolution for where channels change."""

    def __init__(self, C, blocks, group, inputs, outputs):
        super().__init__()
        if inputs != outputs:
            self.conv = nn.Conv2d(inputs, outputs, 1, bias=False)
        self.blocks = nn.Sequential(*[Block(C, group) for _ in range(blocks)])

    def change(self, x):
        return self.conv(x) if hasattr(self, "conv") else x


def widths(R, base, most):
    return [min(base // 2 ** (level + 1), most) for level in range(int(math.log2(R / 4)) + 1)]


class Generator(nn.Module):
    """[N, nz] -> [N, 3, R, R]"""

    def __init__(self, R, nz, base, most, blocks=2, group=16):
        super().__init__()
        C = widths(R, base, most)
        self.latent = nn.Conv2d(nz, C[0], 1, bias=False)
        self.basis = nn.ConvTranspose2d(C[0], C[0], 4, groups=C[0], bias=False)
        self.levels = nn.ModuleList(Level(c, blocks, group, i, c) for i, c in zip([C[0], *C], C))
        self.output = nn.Conv2d(C[-1], 3, 1, bias=False)

    def forward(self, z):
        x = self.basis(self.latent(z[:, :, None, None]))
        for i, level in enumerate(self.levels):
            x = level.change(x)
            x = level.blocks(up(x) if i else x)
        return self.output(x)


class Discriminator(nn.Module):
    """[N, 3, R, R] -> logits [N]"""

    def __init__(self, R, base, most, blocks=2, group=16):
        super().__init__()
        C = widths(R, base, most)[::-1]
        self.input = nn.Conv2d(3, C[0], 1, bias=False)
        self.levels = nn.ModuleList(Level(c, blocks, group, c, o) for c, o in zip(C, [*C[1:], C[-1]]))
        self.basis = nn.Conv2d(C[-1], C[-1], 4, groups=C[-1], bias=False)
        self.output = nn.Conv2d(C[-1], 1, 1, bias=False)

    def forward(self, x):
        x = self.input(x)
        for i, level in enumerate(self.levels):
            x = level.blocks(x)
            x = level.change(down(x) if i < len(self.levels) - 1 else x)
        return self.output(self.basis(x)).flatten()


def losses_of(on_real, on_fake):
    """D's and G's."""
    return F.softplus(on_fake - on_real).mean(), F.softplus(on_real - on_fake).mean()


def penalty(D, images):
    return squared_slope(D, images.detach().clone().requires_grad_()).mean()


def cosine(t, steps, start, end):
    share = (1 - math.cos(math.pi * min(1, t / steps))) / 2
    return start + (end - start) * share


def train_step(G, D, adam_G, adam_D, z, real, gamma):
    """One step; returns D's and G's loss, and gamma / 2 times the penalties."""
    fake = G(z)
    loss_D, _ = losses_of(D(real), D(fake.detach()))
    beside = gamma / 2 * (penalty(D, real) + penalty(D, fake))
    adam_D.zero_grad(set_to_none=True)
    (loss_D + beside).backward()
    adam_D.step()

    D.requires_grad_(False)  # G's step needs D's input gradient only
    _, loss_G = losses_of(D(real), D(fake))
    adam_G.zero_grad(set_to_none=True)
    loss_G.backward()
    adam_G.step()
    D.requires_grad_(True)
    return torch.stack([loss_D, loss_G, beside]).detach()


def first_batch(G, D, z, real):
    fake = G(z)
    on_real, on_fake = D(real), D(fake)
    loss_D, loss_G = losses_of(on_real, on_fake)
    out = {"out/fake": fake, "out/logits_real": on_real, "out/logits_fake": on_fake}
    out |= gradients("grad", D, "D", loss_D)
    out |= gradients("grad", G, "G", loss_G)
    out |= gradients("r1", D, "D", penalty(D, real))
    return out | gradients("r2", D, "D", penalty(D, fake))


def train(G, D, z, real):
    adams = [torch.optim.Adam(net.parameters(), lr=1e-3, betas=(0.0, 0.9), eps=1e-8) for net in (G, D)]
    losses = []
    for t, batch in enumerate(zip(z, real)):
        for adam in adams:
            (group,) = adam.param_groups
            group["lr"] = cosine(t, 8, 1e-3, 2.5e-4)
            group["betas"] = (0.0, cosine(t, 8, 0.9, 0.99))
        losses.append(train_step(G, D, *adams, *batch, cosine(t, 8, 50, 5)))
    return {"losses": torch.stack(losses), **state("final", G=G, D=D)}


def initialise(net):
    """As R3GAN's networks begin, but for the last convolutions of blocks and biases, which do not begin as 0."""
    for name, p in net.named_parameters():
        if name.endswith("bias"):
            nn.init.normal_(p, 0, 0.2)
        elif isinstance(net, Generator) and name == "basis.weight":
            nn.init.normal_(p, 0, 1)
        else:
            nn.init.normal_(p, 0, (0.5 if "conv3" in name else GAIN) / math.sqrt(p[0].numel()))
    if isinstance(net, Discriminator):
        net.output.weight.data *= 0.1  # logits of about 1, where the loss bends


def main():
    torch.manual_seed(27)
    torch.set_num_threads(1)
    steps, N, R, nz = 10, 4, 16, 6
    G, D = Generator(R, nz, 32, 8, group=4), Discriminator(R, 32, 8, group=4)
    for net in (G, D):
        initialise(net)
    z = torch.randn(steps, N, nz)
    real_u8 = torch.randint(0, 256, (steps, N, 3, R, R), dtype=torch.uint8)
    real = real_u8.float() / 127.5 - 1

    def compute(dtype):
        nets = [copy.deepcopy(net).to(dtype) for net in (G, D)]
        again = [copy.deepcopy(net) for net in nets]
        zs, reals = z.to(dtype), real.to(dtype)
        return {**first_batch(*nets, zs[0], reals[0]), **train(*again, zs, reals)}

    exact, single = compute(torch.float64), compute(torch.float32)
    given = {**state("init", G=G, D=D), "z": z, "real_u8": real_u8}
    metadata = {"source": "tests/oracle/r3gan.py", "torch": torch.__version__}
    save_safetensors(FIXTURE, {**given, **exact}, metadata)

    # How far float32 itself lies from the fixture: a tolerance below this asks for too much.
    for folder in ("out", "grad", "r1", "r2", "losses", "final"):
        pairs = [(exact[k], single[k]) for k in exact if k.split("/")[0] == folder]
        worst = max(float((a - b).abs().max() / (a.abs().max() + 1e-12)) for a, b in pairs)
        print(f"{folder}: float32 differs by {worst:.1e} of the tensor's largest value")
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size} bytes, losses of each step:")
    print(exact["losses"].numpy())


if __name__ == "__main__":
    main()
