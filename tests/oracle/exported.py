#!/usr/bin/env python3
"""Runs exported generators with PyTorch and compares their images with ours; by hand, after tests/exported.ts:

  tests/oracle/exported.py /tmp/exported

A second argument takes the place of 0.00001, the largest difference that is allowed.
"""

import importlib.util
import sys
from pathlib import Path

import torch


def generator_in(folder):
    spec = importlib.util.spec_from_file_location("generator", folder / "generator.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def main():
    most, wrong = float(sys.argv[2]) if len(sys.argv) > 2 else 1e-5, 0
    for folder in sorted(Path(sys.argv[1]).iterdir()):
        module = generator_in(folder)
        expected = module.read_safetensors(folder / "expected.safetensors")
        with torch.no_grad():
            images = module.load()(expected["latents"])
        difference = (images - expected["images"]).abs().max().item()
        spread = expected["images"].std().item()
        wrong += not difference <= most
        print(f"{folder.name:14} largest difference {difference:.1e} (images' deviation {spread:.2f})")
    print(f"PyTorch {torch.__version__}: {'WRONG' if wrong else 'equal'} to {most}")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
