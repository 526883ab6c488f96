#!/usr/bin/env python3
"""Small files of torch.save in both containers: tests/fixtures/tensors.{zip,legacy}.pth and kinds.{zip,legacy}.pth;
beside, module, script and sparse.pth, after `beside` as an argument only these.

tensors: each holds the same record: "conv.weight" [2,3,2,2] float32 0..23, "conv.bias" [3] float16 0.5 1.5 2.5, a view
"part" (rows 1..2, transposed) of float64 [4,3] 0..11, "count" int64 scalar 7, all in an OrderedDict with the
metadata of a state_dict.

beside: a tensor beside objects that are none: an argparse.Namespace, a NumPy scalar, a date, a set, a module.
module, script, sparse: what is no file of tensors, or of none that can be read.

kinds: a training program's record, {"state_dict": ..., "optimizer": ..., "epoch": 5}; the names of the former begin
with "module.", as DataParallel's do. The values of each are -2, 0, 1.5 (or 2, 0, 1) in the tensor's own type.
"""

import argparse
import collections
import datetime
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

FOLDER = Path(__file__).resolve().parent.parent / "fixtures"


def others():
    module = nn.Sequential(nn.Linear(2, 1))
    record = {
        "g_ema": {"w": torch.arange(3.0)},
        "args": argparse.Namespace(lr=0.1, betas=[0.5, 0.9]),
        "optim": {"best": np.float64(1.5), "when": datetime.date(2020, 1, 2), "seen": collections.Counter("aab")},
        "ema_net": module,
    }
    torch.save(record, FOLDER / "beside.pth")
    torch.save(module, FOLDER / "module.pth")
    torch.jit.script(module).save(str(FOLDER / "script.pth"))
    torch.save({"s": torch.eye(2).to_sparse()}, FOLDER / "sparse.pth")


def main():
    others()
    if sys.argv[1:] == ["beside"]:
        return
    state = nn.BatchNorm1d(1).state_dict()
    state.clear()
    state["conv.weight"] = nn.Parameter(torch.arange(24.0).reshape(2, 3, 2, 2))
    state["conv.bias"] = torch.tensor([0.5, 1.5, 2.5], dtype=torch.float16)
    state["part"] = torch.arange(12, dtype=torch.float64).reshape(4, 3)[1:3].T
    state["count"] = torch.tensor(7)
    torch.save(state, FOLDER / "tensors.zip.pth")
    torch.save(state, FOLDER / "tensors.legacy.pth", _use_new_zipfile_serialization=False)
    signed, whole = [-2.0, 0.0, 1.5], [2, 0, 1]
    kinds = {
        **{name: torch.tensor(signed, dtype=getattr(torch, name)) for name in ("bfloat16", "float16", "float32", "float64")},
        **{name: torch.tensor(whole, dtype=getattr(torch, name)) for name in ("bool", "int8", "uint8", "int16", "int32", "int64")},
        "transposed": torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1),
        "empty": torch.zeros(0, 5),
    }
    kinds["tied"] = kinds["float32"]
    record = {
        "state_dict": {f"module.{name}": tensor for name, tensor in kinds.items()},
        "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]},
        "epoch": 5,
    }
    torch.save(record, FOLDER / "kinds.zip.pth")
    torch.save(record, FOLDER / "kinds.legacy.pth", _use_new_zipfile_serialization=False)


if __name__ == "__main__":
    main()
