#!/usr/bin/env python3
"""Images as evaluation tools read and resize them: tests/fixtures/conventions.safetensors.

Written after the code of pytorch-fid 0.3.0 (b9c1811), clean-fid 0.1.35 (e88c4d6) and torch-fidelity 0.4.0 (5e211a9);
the tools themselves are not needed. Needs PyTorch, NumPy and Pillow; the PNG and its pixels are Pillow 9.4.0's.

  resize/<name> [H,W,3]             images as bytes
  resize/<name>/<filter> [h,w,3]    by Pillow's BICUBIC and BOX in mode F, and TensorFlow 1's bilinear, by torch-fidelity
  png/<name> [bytes]                PNGs of which Pillow makes other pixels than a browser
  png/<name>/rgb [H,W,3]            their pixels by Image.open(...).convert("RGB")
  tall, wide [24,H,W,3]             two sets of images that are not square
  fid/<tool>/<feature> []           Frechet distance of the two by the net of inception.py, in float64
"""

import io
import zlib
from pathlib import Path
from struct import pack

import numpy as np
import torch
from PIL import Image
from torch.nn.functional import interpolate

from dcgan import save_safetensors
from inception import NARROW, Inception, draw, frechet

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "conventions.safetensors"
FILTERS = {"bicubic": Image.BICUBIC, "box": Image.BOX}


def pillow(pixels, size, filter):
    """Each channel as a float image; size is [height, width]."""
    channels = [Image.fromarray(pixels[..., c].astype(np.float32), "F") for c in range(3)]
    return np.stack([np.asarray(c.resize(size[::-1], FILTERS[filter])) for c in channels], -1)


def tensorflow(pixels, size):
    """Bilinear, first pixels aligned, in float32; `pixels` [H,W,3]."""
    x = torch.from_numpy(pixels.astype(np.float32))
    for axis in (1, 0):
        n, m = x.shape[axis], size[axis]
        at = torch.arange(m, dtype=torch.float32) * torch.tensor(n / m, dtype=torch.float32)
        low = at.long()
        t = (at - low).reshape([-1, 1] if axis == 1 else [-1, 1, 1])
        a, b = x.index_select(axis, low), x.index_select(axis, (low + 1).clamp_max(n - 1))
        x = a + (b - a) * t
    return x.numpy()


def to_input(tool, images):
    """Images [N,H,W,3] as bytes to the net's [N,3,299,299]."""
    size = (299, 299)
    if tool == "pytorch-fid":
        x = torch.from_numpy(images).permute(0, 3, 1, 2).double() / 255
        return 2 * interpolate(x, size, mode="bilinear", align_corners=False) - 1
    resize = tensorflow if tool == "torch-fidelity" else lambda i, s: pillow(i, s, "bicubic").clip(0, 255)
    x = torch.from_numpy(np.stack([resize(image, size) for image in images]))
    return (x.permute(0, 3, 1, 2).double() - 128) / 128


def png(depth, kind, pixels, more=b""):
    def chunk(tag, data):
        return pack(">I", len(data)) + tag + data + pack(">I", zlib.crc32(tag + data))

    pixels = np.asarray(pixels, ">u2" if depth == 16 else "u1")
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    head = chunk(b"IHDR", pack(">IIBBBBB", pixels.shape[1], len(pixels), depth, kind, 0, 0, 0)) + more
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def trns(data):
    return pack(">I", len(data)) + b"tRNS" + data + pack(">I", zlib.crc32(b"tRNS" + data))


def unusual(random):
    def levels(depth, channels):
        return random.integers(0, 2**depth, (5, 7, channels))

    grey = levels(16, 1)
    grey[0, :4, 0] = 0, 255, 256, 32768
    colours = levels(8, 3)
    colours[:2] = 9, 8, 7
    palette = random.integers(0, 256, 3 * 256, np.uint8).tobytes()
    plte = pack(">I", len(palette)) + b"PLTE" + palette + pack(">I", zlib.crc32(b"PLTE" + palette))
    yield "grey16", png(16, 0, grey)
    yield "colour16", png(16, 2, levels(16, 3))
    yield "alpha8", png(8, 6, levels(8, 4))
    yield "alpha16", png(16, 6, levels(16, 4))
    yield "grey-alpha8", png(8, 4, levels(8, 2))
    yield "grey-alpha16", png(16, 4, levels(16, 2))
    yield "transparent-colour", png(8, 2, colours, trns(pack(">HHH", 9, 8, 7)))
    yield "transparent-palette", png(8, 3, levels(8, 1), plte + trns(bytes(range(256))))


def frames(random, height, width, noise):
    """Discs on gradients with noise, [24,height,width,3]."""
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    made = np.empty((24, height, width, 3))
    for image in made:
        centre, radius = random.uniform(0.2, 0.8, 2), random.uniform(0.1, 0.4)
        disc = (x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2
        for c in range(3):
            a, b, e, f = random.uniform(-1, 1, 4)
            image[..., c] = np.where(disc, f, a * x + b * y + e / 2)
    made = 127.5 * (made + 1) + 255 * noise * random.standard_normal(made.shape)
    return np.clip(np.rint(made), 0, 255).astype(np.uint8)


def main():
    torch.set_num_threads(2)
    torch.set_grad_enabled(False)
    random, tensors = np.random.default_rng(3), {}
    for name, size, to in (("grow", (7, 5), (17, 23)), ("shrink", (37, 41), (9, 12)), ("half", (16, 16), (8, 8))):
        pixels = random.integers(0, 256, (*size, 3), np.uint8)
        tensors[f"resize/{name}"] = pixels
        for filter in FILTERS:
            tensors[f"resize/{name}/{filter}"] = pillow(pixels, to, filter)
        tensors[f"resize/{name}/tensorflow"] = tensorflow(pixels, to)
    for name, data in unusual(random):
        tensors[f"png/{name}"] = np.frombuffer(data, np.uint8)
        tensors[f"png/{name}/rgb"] = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    sets = {"tall": frames(random, 18, 11, 0.02), "wide": frames(random, 12, 20, 0.15)}
    tensors |= sets
    net = Inception(NARROW).double()
    keep = {n: t for n, t in net.state_dict().items() if n.endswith("num_batches_tracked")}
    net.load_state_dict({n: keep[n] if n in keep else draw(n, tuple(t.shape)) for n, t in net.state_dict().items()})
    for tool in ("pytorch-fid", "clean-fid", "torch-fidelity"):
        # The net maps [0, 1] to [-1, 1] itself, and leaves 299 pixels as they are.
        a, b = (net((to_input(tool, images) + 1) / 2) for images in sets.values())
        for feature in ("64", "192", "768"):
            tensors[f"fid/{tool}/{feature}"] = np.asarray(frechet(a[feature], b[feature]))
    tensors = {name: torch.from_numpy(np.array(value)) for name, value in tensors.items()}
    save_safetensors(FIXTURE, tensors, {"source": "tests/oracle/conventions.py", "torch": torch.__version__})
    print(f"{FIXTURE.name}: {FIXTURE.stat().st_size} bytes", {k: float(v) for k, v in tensors.items() if "fid" in k})


if __name__ == "__main__":
    main()
