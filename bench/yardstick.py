#!/usr/bin/env python3
"""The yardstick: a run's DCGAN by PyTorch, and a zip of its pictures for the same evaluator to judge.

    gan train dcgan --data faces.zip --resolution 32 --kimg 300
    python3 bench/yardstick.py runs/00000-dcgan-faces-32 --seed 0 --out yardstick.zip
    gan eval fid --run 0 --samples 10000
    gan eval fid --run 0 --fake yardstick.zip

Nets, first weights' distribution, losses, Adam, batch, mirroring, running average, number of images and the
pictures themselves are those of the run: its options are read from options.json, and the pictures from the pack
that the run was trained on (in the folder .cache beside it). Only the random numbers are others. The order of
pictures is a permutation an epoch, as ours; pictures are rounded as ours: to the nearest byte, halves up.

Needs PyTorch and numpy only.
"""

import argparse
import copy
import json
import math
import struct
import sys
import time
import zipfile
import zlib
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "oracle"))
from dcgan import Discriminator, Generator, initialise, train_step  # noqa: E402

# What this script does as the run does; another value of these options would make it another experiment.
ONLY = {"recipe": "dcgan", "loss": "bce", "dSteps": 1, "labelSmoothing": 1, "augment": "none"}
ONLY |= dict.fromkeys(("gp", "r1", "drift", "l1", "l2"), 0)


def read_options(run):
    try:
        options = json.loads((run / "options.json").read_text())
    except (OSError, ValueError) as error:
        sys.exit(f"yardstick: {run} is no folder of a run: {error}")
    for name, value in ONLY.items():
        if options.get(name, value) != value:
            sys.exit(f"yardstick: {run} has {name} {options[name]}, and this script knows {value} only")
    return options


def read_pack(path, run, resolution):
    """The run's pictures, [count, R, R, 3] as bytes."""
    packs = [path] if path else sorted((run.parent / ".cache").glob(f"*-{resolution}-*.rgb8"))
    if len(packs) != 1:
        found = ", ".join(map(str, packs)) or "none"
        sys.exit(f"yardstick: name the run's pack of pictures with --pack FILE.rgb8; found: {found}")
    try:
        about = json.loads(Path(f"{packs[0]}.json").read_text())
        pixels = np.fromfile(packs[0], np.uint8)
    except (OSError, ValueError) as error:
        sys.exit(f"yardstick: {packs[0]} is no pack: {error}")
    side = about["resolution"]
    if side != resolution or pixels.size != about["count"] * side * side * 3:
        sys.exit(f"yardstick: {packs[0]} holds {about['count']} pictures of {side} pixels, not {resolution}")
    return pixels.reshape(about["count"], side, side, 3)


def epochs(count, random):
    """Numbers of pictures without end, each once an epoch."""
    while True:
        yield from random.permutation(count)


def decay(ema, images, shown):
    """As train/loop.ts: the average's decay for a step, forgetting faster while the run is young."""
    half_life = min(64 * math.log(0.5) / math.log(ema), 0.05 * images)
    return 0.5 ** (shown / half_life) if half_life else 0.0


@torch.no_grad()
def follow(average, G, k):
    """average = k average + (1 - k) G; running statistics are copied."""
    for a, g in zip(average.parameters(), G.parameters()):
        a.lerp_(g, 1 - k)
    for a, g in zip(average.buffers(), G.buffers()):
        a.copy_(g)


def train(options, pixels, seed, device):
    R, batch, nz = (options[name] for name in ("resolution", "batch", "nz"))
    random = np.random.default_rng(seed)
    torch.manual_seed(seed)
    G = initialise(Generator(R, nz, options["ngf"])).to(device)
    D = initialise(Discriminator(R, options["ndf"])).to(device)
    average, betas = copy.deepcopy(G), (options["beta1"], options["beta2"])
    adam_G = torch.optim.Adam(G.parameters(), options["lrG"], betas)
    adam_D = torch.optim.Adam(D.parameters(), options["lrD"], betas)
    order, total, images = epochs(len(pixels), random), round(1000 * options["kimg"]), 0
    start = told = time.monotonic()
    while images < total:
        chosen = pixels[[next(order) for _ in range(batch)]]
        if options["mirror"]:
            flip = random.random(batch) < 0.5
            chosen[flip] = chosen[flip, :, ::-1]
        real = torch.from_numpy(chosen).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
        losses = train_step(G, D, adam_G, adam_D, torch.randn(batch, nz, device=device), real)
        if options["ema"]:
            follow(average, G, decay(options["ema"], images, batch))
        images += batch
        if time.monotonic() - told > 30 or images >= total:
            told = time.monotonic()
            rate = images / (told - start)
            shown = " ".join(f"{float(loss):.3f}" for loss in losses)
            print(f"{images} of {total} images, {rate:.1f} images/s, D-real D-fake G {shown}", file=sys.stderr)
    return average.eval() if options["ema"] else G.eval()


def png(rgb):
    """One picture [R, R, 3] as a PNG."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, _ = rgb.shape
    rows = np.concatenate([np.zeros((height, 1), np.uint8), rgb.reshape(height, -1)], 1)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows.tobytes())) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@torch.no_grad()
def write_samples(G, count, nz, seed, device, path):
    random = torch.Generator().manual_seed(seed)
    part = path.with_name(path.name + ".part")
    with zipfile.ZipFile(part, "w") as archive:
        for at in range(0, count, 64):
            z = torch.randn(min(64, count - at), nz, generator=random)
            x = (G(z.to(device)).permute(0, 2, 3, 1).double() + 1) * 127.5
            for i, rgb in enumerate(torch.floor(x + 0.5).clamp(0, 255).byte().cpu().numpy()):
                archive.writestr(f"{at + i:06d}.png", png(rgb))
    part.rename(path)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a run of gan train dcgan")
    parser.add_argument("--out", type=Path, required=True, help="zip of pictures to write")
    parser.add_argument("--pack", type=Path, help="the run's pictures, FILE.rgb8")
    parser.add_argument("--seed", type=int, help="by default the run's")
    parser.add_argument("--kimg", type=float, help="by default the run's")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--device", choices=["cpu", "cuda"], default="cpu")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    options = read_options(given.run)
    if given.kimg is not None:
        options["kimg"] = given.kimg
    seed = options["seed"] if given.seed is None else given.seed
    pixels = read_pack(given.pack, given.run, options["resolution"])
    G = train(options, pixels, seed, given.device)
    write_samples(G, given.samples, options["nz"], seed, given.device, given.out)
    print(f"{given.out}: {given.samples} pictures of PyTorch {torch.__version__} after {options['kimg']} kimg, seed {seed}")


if __name__ == "__main__":
    main()
