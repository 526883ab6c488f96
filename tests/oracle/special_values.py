#!/usr/bin/env python3
"""PyTorch's class of answer for special values: tests/fixtures/special_values.json.

Each case gives inputs in float32 (images are [N, H, W, C]), the gradient `dy` of the result, and classes of
the result and of each input's gradient, a letter an element:

  n NaN, + infinity, - -infinity, 0 zero, p and m positive and negative, d and e the same but denormal

A case's name is the op's name and, behind a colon, which of its variants; tests/special_values_test.ts says
which of our ops it is.
"""

import json
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional as F

FIXTURE = Path(__file__).resolve().parent.parent / "fixtures" / "special_values.json"
INF, NAN, MOST, TINY = float("inf"), float("nan"), 3.4028234663852886e38, 1e-40
SPECIAL = [NAN, INF, -INF, 0.0, -0.0, MOST, -MOST, TINY, -TINY]
VALUES = [*SPECIAL, 0.5, -0.5, 3.0, -3.0]
SLOPES = [1.0, INF, -INF, NAN, 0.0, MOST]
cases = []


def letter(v):
    if v != v:
        return "n"
    if abs(v) == INF:
        return "+" if v > 0 else "-"
    if v == 0:
        return "0"
    return ("p" if v > 0 else "m") if abs(v) >= 2.0**-126 else ("d" if v > 0 else "e")


def classes(t):
    return "".join(map(letter, t.detach().flatten().tolist()))


def written(t):
    """Shortest numbers that are the same in float32, as JavaScript reads them."""
    texts = {"n": "NaN", "+": "Infinity", "-": "-Infinity"}
    values = [texts.get(letter(v), f"{np.float32(v)}") for v in t.flatten().tolist()]
    return {"shape": list(t.shape), "values": " ".join(v[:-2] if v.endswith(".0") else v for v in values)}


def case(name, op, *inputs, dy=None):
    inputs = [torch.tensor(x) if isinstance(x, list) else x for x in inputs]
    leaves = [x.detach().clone().requires_grad_() for x in inputs]
    y = op(*leaves)
    if dy is None:
        dy = pattern(y.shape, 7)
    elif isinstance(dy, list):
        dy = torch.tensor(dy)
    gradients = torch.autograd.grad(y, leaves, dy)
    cases.append({
        "name": name,
        "inputs": [written(x) for x in inputs],
        "dy": written(dy),
        "y": classes(y),
        "gradients": [classes(g) for g in gradients],
    })


def pattern(shape, seed):
    """Ordinary numbers, none of them 0."""
    n = torch.Size(shape).numel()
    return (((torch.arange(n) * 37 + seed * 11) % 23) / 16 - 0.71875).reshape(shape)


def elementwise():
    x = [v for v in VALUES for _ in SLOPES]
    dy = SLOPES * len(VALUES)
    ops = {  # a slope of 0 makes a ReLU: F.leaky_relu would multiply infinity by it
        "exp": torch.exp, "log": torch.log, "sqrt": torch.sqrt, "reciprocal": torch.reciprocal,
        "square": torch.square, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "softplus": F.softplus,
        "abs": torch.abs, "sign": torch.sign, "neg": torch.neg, "affine": lambda x: 3 * x - 1,
        "relu": torch.relu, "leakyRelu:0.2": lambda x: F.leaky_relu(x, 0.2),
        "leakyRelu:0": torch.relu, "clamp": lambda x: torch.clamp(x, -1, 1),
    }
    for name, op in ops.items():
        case(name, op, x, dy=dy)
    pairs = [(a, b, dy) for a in VALUES for b in VALUES for dy in (1.0, INF)]
    a, b, dy = (list(column) for column in zip(*pairs))
    for name, op in {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div}.items():
        case(name, op, a, b, dy=dy)


def with_special(ordinary, values=SPECIAL):
    """A copy of the row for each value, which takes the second place."""
    rows = [[ordinary[0], v, *ordinary[2:]] for v in values]
    return torch.tensor(rows)


def rows():
    ops = {
        "softmax": lambda x: F.softmax(x, -1), "logSoftmax": lambda x: F.log_softmax(x, -1),
        "sum": lambda x: x.sum(-1), "mean": lambda x: x.mean(-1),
        "pixelNorm": lambda x: x * torch.rsqrt((x * x).mean(-1, keepdim=True) + 1e-8),
    }
    for name, op in ops.items():
        for ordinary in ([0.5, 0.25, -1.0, 2.0], [0.5, 0.25, -1.0, 2.0, -0.75]):
            given = with_special(ordinary)
            case(f"{name}:{len(ordinary)}", op, given)
            if name not in ("sum", "mean"):
                plain = torch.tensor([ordinary] * len(SPECIAL))
                case(f"{name}:{len(ordinary)}, dy", op, plain, dy=with_special(ordinary[::-1]))
        case(f"{name}:infinite", op, torch.tensor([[INF] * 4, [-INF] * 4, [INF, -INF, 1.0, 2.0]]))


def losses():
    kinds = {
        "crossEntropy": lambda x, t: F.binary_cross_entropy_with_logits(x, torch.full_like(x, t)),
        "leastSquares": lambda x, t: ((x - t) ** 2 / 2).mean(),
        "hinge": lambda x, t: torch.relu(1 - t * x).mean(),
        "linear": lambda x, t: (-t * x).mean(),
    }
    for kind, op in kinds.items():
        for goal in (1, 0 if kind in ("crossEntropy", "leastSquares") else -1):
            for value in SPECIAL:
                case(f"{kind}:{goal}", lambda x: op(x, goal).reshape(1), [value, 0.5], dy=[1.0])
            for slope in SLOPES:
                case(f"{kind}:{goal}", lambda x: op(x, goal).reshape(1), [2.0, 0.5, -2.0], dy=[slope])


def images_of(op):
    """`op` on [N, C, H, W] as one on [N, H, W, C]."""
    return lambda x, *rest: op(x.permute(0, 3, 1, 2), *rest).permute(0, 2, 3, 1)


def smoothing(x):
    """[1, 2, 1] before the mean of two: the weights of a depthwise convolution."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0], dtype=x.dtype) / 8
    return (taps[:, None] * taps).expand(x.shape[1], 1, 4, 4)


def image(N, H, W, C, at=None, values=SPECIAL):
    """Positive numbers, which do not cancel, but a special one in each channel where it says."""
    x = pattern((N, H, W, C), 3) + 0.75
    if at is not None:
        for c in range(C):
            x[(*at, c)] = values[c % len(values)]
    return x


def images():
    def normalised(slope):
        def op(x, gamma, beta):
            y = F.batch_norm(x, None, None, gamma, beta, True, 0.1, 1e-5)
            return y if slope == 1 else torch.relu(y) if slope == 0 else F.leaky_relu(y, slope)
        return images_of(op)

    for slope in (1, 0, 0.2):
        for C in (9, 12):
            gamma, beta = pattern((C,), 5) + 2, pattern((C,), 6)
            op = normalised(slope)
            case(f"batchNorm:{slope}", op, image(2, 2, 2, C, (1, 0, 1)), gamma, beta, dy=image(2, 2, 2, C))
            case(f"batchNorm:{slope}", op, image(2, 2, 2, C), gamma, beta, dy=image(2, 2, 2, C, (0, 1, 1)))
    maps = {
        "maxPool": lambda x: F.max_pool2d(x, 2, 2),
        "maxPool:overlapping": lambda x: F.max_pool2d(x, 3, 2, 1),
        "averagePool": lambda x: F.avg_pool2d(x, 2, 2),
        "averagePool:overlapping": lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
        "upNearest": lambda x: F.interpolate(x, scale_factor=2),
        "downAverage": lambda x: F.avg_pool2d(x, 2),
        # Its gradient is the other way.
        "downSmooth": lambda x: F.conv2d(x, smoothing(x), stride=2, padding=1, groups=x.shape[1]),
        "bilinear:up": lambda x: F.interpolate(x, (6, 7), mode="bilinear", align_corners=False),
        "bilinear:down": lambda x: F.interpolate(x, (3, 2), mode="bilinear", align_corners=False),
    }
    for name, op in maps.items():
        for C in (9, 12):
            y = images_of(op)(image(1, 4, 4, C))
            case(name, images_of(op), image(1, 4, 4, C, (0, 1, 2)), dy=image(*y.shape))
            case(name, images_of(op), image(1, 4, 4, C), dy=image(*y.shape, (0, 1, 1)))


def products():
    for C in (3, 4):
        for value in SPECIAL:
            a, b = pattern((5, C), 1), pattern((C, C), 2)
            a[1, 1] = value
            case("matmul", torch.matmul, a, b)
            case("matmul", torch.matmul, b, a.T.contiguous())
            x, w = pattern((1, 4, 4, C), 3), pattern((3, 3, C, C), 4)
            x[0, 1, 2, 1] = value
            conv = images_of(lambda x, w: F.conv2d(x, w.permute(3, 2, 0, 1), padding=1))
            case("conv2d", conv, x, w)


def main():
    torch.set_num_threads(1)
    for make in (elementwise, rows, losses, images, products):
        make()
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    FIXTURE.write_text(f'{{"torch":"{torch.__version__}","cases":[\n{lines}\n]}}\n')
    print(f"{len(cases)} cases, {FIXTURE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
