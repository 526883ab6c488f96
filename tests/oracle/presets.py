#!/usr/bin/env python3
"""One step's gradients of the presets, at their true widths and resolutions: tests/fixtures/presets/*.safetensors.

    python3 tests/oracle/presets.py [CASE ...]    all of CASES below if none is named

Weights and pictures are not stored: `fill` and `inputs` draw them by their names (drawn.py), and the test does the
same. All arithmetic is float64; results are rounded to float32 once. Names and layouts are PyTorch's. What a file
holds of one step from there, with neither net updated: a power iteration of G and of D where they have spectral
norm, fake = G(z), D(real), D(fake), D's loss with its penalties, D(fake) again, G's loss:

  losses [4]          D-real, D-fake, G, D's penalties times their weights (0 if there are none)
  grad/D.<name>       of D's losses and penalties for D's weights, fake held constant
  grad/G.<name>       of G's loss for G's weights
  between/D.<name>    with lazy R1, of D's losses in the steps between, which are without it
  after/{G,D}.<name>  running statistics and spectral vectors after the step
  bias/{G,D}.<name>   biases, in place of drawn ones: see `settle`
  given [n,4]         the first four elements of every input and tensor that has as many, by their names in order

The gradients and what there is afterwards are [2 + k] each: the L2 norm of the tensor; its largest magnitude; all of
its elements if they are at most 256, else 256 of them, at the places that `places` draws.
"""

import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import dcgan
import numpy as np
import pggan
import r3gan
import sagan
import torch
from drawn import uniform
from layers import iterate
from torch.nn.functional import binary_cross_entropy_with_logits, relu, softplus

FOLDER = Path(__file__).resolve().parent.parent / "fixtures" / "presets"
MOST = 256


@dataclass
class Case:
    """A preset with a batch of `N`."""

    nets: object
    N: int
    R: int
    nz: int
    loss: str
    gp: float = 0
    r1: float = 0  # times half the steps from one to the next
    r2: float = 0
    drift: float = 0
    smooth: bool = False  # targets for real pictures uniform in [0.8, 1]
    alpha: float = 1
    deviation: float = 0.02  # of weights; 1 with an equalised learning rate; 0 for one by the fan-in
    seed: int = 0


def dcgans(R, width):
    return lambda: (dcgan.Generator(R, 100, width), dcgan.Discriminator(R, width))


def sagans(R, nz, width, seen, kernels=0, norm=False, **kind):
    return lambda: (
        sagan.Generator(R, nz, width, seen, reduction=8, **kind),
        sagan.Discriminator(R, width, seen, kernels, norm, reduction=8, **kind),
    )


def pggans(R, nz, base, most, fading=False, kernels=0, **kind):
    return lambda: (
        pggan.Generator(R, nz, base, most, fading, **kind),
        pggan.Discriminator(R, base, most, fading, kernels=kernels, **kind),
    )


def r3gans(R, base, most, blocks):
    return lambda: (r3gan.Generator(R, 64, base, most, blocks), r3gan.Discriminator(R, base, most, blocks))


THESIS = {"kernels": 100, "norm": True}
WGAN_GP = {"loss": "wgan", "gp": 10, "drift": 1e-3, "deviation": 1}
R3GAN = {"loss": "rsgan", "deviation": 0}
R1 = {"loss": "bce", "r1": 0.1 * 4 / 2, "deviation": 1}

CASES = {
    # also original, which differs in mirrored pictures and the running average only
    "dcgan-default": Case(dcgans(64, 64), 16, 64, 100, "bce"),
    "dcgan-thesis": Case(dcgans(32, 64), 32, 32, 100, "bce"),
    "dcgan-small": Case(dcgans(32, 32), 32, 32, 100, "bce"),
    # also paper, which differs in the same
    "sagan-default": Case(sagans(64, 128, 64, 32), 16, 64, 128, "hinge"),
    "sagan-thesis": Case(
        sagans(32, 100, 64, 16, pool=False, full=True, **THESIS), 16, 32, 100, "bce", smooth=True, seed=1
    ),
    "sagan-small": Case(sagans(32, 128, 32, 16), 32, 32, 128, "hinge"),
    # also paper, which has twice the channels
    "pggan-default": Case(pggans(64, 512, 4096, 256), 4, 64, 512, **WGAN_GP),
    "pggan-r1": Case(pggans(64, 512, 4096, 256), 4, 64, 512, **R1),
    "pggan-thesis": Case(
        pggans(64, 128, 4096, 256, make=pggan.Spectral(), **THESIS), 4, 64, 128, "lsgan", smooth=True
    ),
    "pggan-small-16": Case(pggans(16, 64, 1024, 64), 16, 16, 64, **R1),
    "pggan-small": Case(pggans(32, 64, 1024, 64), 8, 32, 64, **R1),
    "pggan-small-fading": Case(pggans(32, 64, 1024, 64, fading=True), 8, 32, 64, **R1, alpha=0.3),
    # also paper, which is wider
    "r3gan-default": Case(r3gans(64, 3072, 192, 2), 2, 64, 64, r1=2 / 2, r2=2 / 2, **R3GAN),
    "r3gan-small": Case(r3gans(32, 512, 64, 1), 16, 32, 64, r1=0.5 / 2, r2=0.5 / 2, **R3GAN),
}

# D's of real logits, targets and fake logits, D's of fake and real ones, G's of fake and real ones.
LOSSES = {
    "bce": (
        lambda r, t, _: binary_cross_entropy_with_logits(r, t),
        lambda f, _: dcgan.bce(f, 0),
        lambda f, _: dcgan.bce(f, 1),
    ),
    "lsgan": (
        lambda r, t, _: ((r - t) ** 2).mean() / 2,
        lambda f, _: (f**2).mean() / 2,
        lambda f, _: ((f - 1) ** 2).mean() / 2,
    ),
    "hinge": (lambda r, *_: relu(1 - r).mean(), lambda f, _: relu(1 + f).mean(), lambda f, _: -f.mean()),
    "wgan": (lambda r, *_: -r.mean(), lambda f, _: f.mean(), lambda f, _: -f.mean()),
    "rsgan": (
        lambda r, _, f: softplus(f - r).mean() / 2,
        lambda f, r: softplus(f - r).mean() / 2,
        lambda f, r: softplus(r - f).mean(),
    ),
}


def value_of(case, name, shape):
    """What is made of a number in [-1, 1) for an element of the tensor of that name."""
    last = name.split(".")[-1]
    if last == "T":
        return lambda u: 0.3 * u
    if last == "gamma":
        return lambda u: 0.5 + 0.1 * u
    if last == "running_var":
        return lambda u: 1 + 0.5 * u
    if last.startswith("weight") and len(shape) > 1:
        # The last convolutions of R3GAN's blocks would be 0.
        deviation = case.deviation or (0.3 if "conv3" in name else 1) / math.sqrt(math.prod(shape[1:]))
        return lambda u: math.sqrt(3) * deviation * u
    if last == "weight":
        return lambda u: 1 + 0.2 * u
    return lambda u: 0.2 * u  # biases, means, spectral vectors, which an iteration brings to length 1


def drawn(case, name, shape, value):
    values = value(uniform(f"{name} {case.seed}", math.prod(shape)))
    return torch.from_numpy(values.astype(np.float32)).reshape(shape)


def named(case_nets):
    """All tensors of both nets, without counts of batches."""
    return {
        f"{prefix}.{name}": t
        for prefix, net in zip("GD", case_nets)
        for name, t in net.state_dict(keep_vars=True).items()
        if not name.endswith("num_batches_tracked")
    }


def fill(case, nets, biases={}):
    with torch.no_grad():
        for name, t in named(nets).items():
            t.copy_(biases[name] if name in biases else drawn(case, name, t.shape, value_of(case, name, t.shape)))


def inputs(case):
    N, R = case.N, case.R
    return {
        "z": drawn(case, "z", (N, case.nz), lambda u: math.sqrt(3) * u),
        "real": drawn(case, "real", (N, 3, R, R), lambda u: u),
        "labels": drawn(case, "labels", (N,), lambda u: 0.9 + 0.1 * u) if case.smooth else torch.ones(N),
        "mix": drawn(case, "mix", (N,), lambda u: (u + 1) / 2),
    }


@torch.no_grad()
def settle(case):
    """Biases with which rounding does not decide on which side of its kink a (leaky) ReLU is.

    Of millions of them some are within float32's rounding of 0, and each that falls to the other side changes
    gradients by up to a hundredth. So each channel's bias is moved, by at most 0.05 deviations, to the middle of
    the widest gap between the values that it is given here. D's last bias brings logits to 0.5 on
    average, where the hinge does not bend and real and fake ones do not balance.
    """
    nets = G, D = case.nets()
    fill(case, nets)
    G.alpha = D.alpha = case.alpha
    iterate(G)
    iterate(D)
    z, real, mix = (inputs(case)[name] for name in ("z", "real", "mix"))
    move_biases(G, [z])
    fake = G(z)
    between = [fake + mix[:, None, None, None] * (real - fake)] if case.gp else []
    move_biases(D, [real, fake, *between])
    if D.output.bias is not None:
        D.output.bias += 0.5 - torch.stack([D(real), D(fake)]).mean()
    return {name: t.detach() for name, t in named(nets).items() if name.endswith("bias")}


class Seen(Exception):
    """What a layer gave, as soon as it is there."""


def move_biases(net, given):
    hidden = [
        m
        for name, m in net.named_modules()
        if getattr(m, "bias", None) is not None and not name.startswith(("output", "toRgb", "discrimination"))
    ]
    order = []
    hooks = [m.register_forward_hook(lambda m, *_: order.append(m)) for m in hidden]
    net(given[0])
    for hook in hooks:
        hook.remove()

    def stop(_, __, y):
        raise Seen(y)

    def values_of(layer, x):
        hook = layer.register_forward_hook(stop)
        try:
            net(x)
        except Seen as seen:
            return seen.args[0].transpose(0, 1).flatten(1)
        finally:
            hook.remove()

    for layer in order:
        values = torch.cat([values_of(layer, x) for x in given], 1)
        most = 0.05 * values.std(1, keepdim=True)
        values = torch.cat([-most, values.clamp(-most, most), most], 1).sort(1).values
        gaps = values.diff(dim=1).argmax(1, keepdim=True)
        layer.bias -= ((values.gather(1, gaps) + values.gather(1, gaps + 1)) / 2).flatten()


def step(case, G, D, z, real, labels, mix):
    """Losses; gradients of both nets by name."""
    on_reals, on_fakes, of_G = LOSSES[case.loss]
    iterate(G)
    iterate(D)
    fake = G(z)
    given = real.clone().requires_grad_(case.r1 > 0)
    made = fake.detach().requires_grad_(case.r2 > 0)
    on_real, on_fake = D(given), D(made)
    d_real, d_fake = on_reals(on_real, labels, on_fake), on_fakes(on_fake, on_real)
    penalty = torch.zeros((), dtype=z.dtype)
    if case.r1:
        penalty = penalty + case.r1 * pggan.squared_slope(lambda _: on_real, given).mean()
    if case.r2:
        penalty = penalty + case.r2 * pggan.squared_slope(lambda _: on_fake, made).mean()
    if case.gp:
        penalty = penalty + case.gp * pggan.gradient_penalty(D, real, fake.detach(), mix)
    if case.drift:
        penalty = penalty + case.drift * on_real.square().mean()
    grads = pggan.gradients("grad", D, "D", d_real + d_fake + penalty)
    if case.r1 and not case.r2:
        grads |= pggan.gradients("between", D, "D", d_real + d_fake)
    g = of_G(D(fake), D(real) if case.loss == "rsgan" else None)
    grads |= pggan.gradients("grad", G, "G", g)
    return torch.stack([d_real, d_fake, g, penalty]).detach(), grads


def places(name, count):
    """Where those elements lie that a file holds."""
    if count <= MOST:
        return torch.arange(count)
    return torch.from_numpy(((uniform(f"places in {name}", MOST) + 1) / 2 * count).astype(np.int64))


def summary(name, t):
    flat = t.detach().flatten()
    return torch.cat([torch.stack([flat.norm(), flat.abs().max()]), flat[places(name, len(flat))]])


def compute(case, biases, dtype):
    nets = case.nets()
    fill(case, nets, biases)
    given = {**named(nets), **inputs(case)}
    first = torch.stack([given[name].detach().flatten()[:4] for name in sorted(given) if given[name].numel() >= 4])
    for net in nets:
        net.to(dtype).alpha = case.alpha
    losses, grads = step(case, *nets, **{name: t.to(dtype) for name, t in inputs(case).items()})
    out = {"losses": losses, "given": first} | {f"bias/{name}": t for name, t in biases.items()}
    out |= {name: summary(name, t) for name, t in grads.items()}
    kept = {f"after/{n}": t for n, t in named(nets).items() if n.endswith(("_u", "_v", "_mean", "_var"))}
    return out | {name: summary(name, t) for name, t in kept.items()}


def distances(exact, single):
    """How far float32 itself lies from the fixture: tolerances below this ask for too much."""
    worst = {}
    for name, a in exact.items():
        folder, b = name.split("/")[0], single[name]
        if folder not in ("grad", "between", "after"):
            continue
        norm = float(abs(a[0] - b[0]) / (a[0] + 1e-30))
        element = float((a[2:] - b[2:]).abs().max() / (a[1] + 1e-30))
        for kind, value in (("norms", norm), ("elements", element)):
            worst[folder, kind] = max(worst.get((folder, kind), (0, "")), (value, name))
    return worst


def main():
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    for name in sys.argv[1:] or CASES:
        case, start = CASES[name], time.time()
        biases = settle(case)
        exact, single = (compute(case, biases, dtype) for dtype in (torch.float64, torch.float32))
        path = FOLDER / f"{name}.safetensors"
        metadata = {"source": "tests/oracle/presets.py", "torch": torch.__version__, "seed": str(case.seed)}
        dcgan.save_safetensors(path, exact, metadata)
        print(f"{name}: {path.stat().st_size} bytes, {time.time() - start:.0f} s, losses {exact['losses'].tolist()}")
        for (folder, kind), (value, where) in distances(exact, single).items():
            print(f"  {folder}: {kind} of float32 differ by up to {value:.1e}, {where}", flush=True)


if __name__ == "__main__":
    main()
