#!/usr/bin/env python3
"""Small files of torch.save in both containers: tests/fixtures/tensors.zip.pth and tensors.legacy.pth.

Each holds the same record: "conv.weight" [2,3,2,2] float32 0..23, "conv.bias" [3] float16 0.5 1.5 2.5, a view
"part" (rows 1..2, transposed) of float64 [4,3] 0..11, "count" int64 scalar 7, all in an OrderedDict with the
metadata of a state_dict.
"""

from pathlib import Path

import torch
from torch import nn

FOLDER = Path(__file__).resolve().parent.parent / "fixtures"


def main():
    state = nn.BatchNorm1d(1).state_dict()
    state.clear()
    state["conv.weight"] = nn.Parameter(torch.arange(24.0).reshape(2, 3, 2, 2))
    state["conv.bias"] = torch.tensor([0.5, 1.5, 2.5], dtype=torch.float16)
    state["part"] = torch.arange(12, dtype=torch.float64).reshape(4, 3)[1:3].T
    state["count"] = torch.tensor(7)
    torch.save(state, FOLDER / "tensors.zip.pth")
    torch.save(state, FOLDER / "tensors.legacy.pth", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
