#!/usr/bin/env python3
"""Prepares the images of a zip or a folder by Pillow with two processes, the yardstick of bench/data.ts.

  python3 bench/pillow.py FOLDER_OR_ZIP RESOLUTION

Each is decoded, cropped to its centre square and averaged down, as by default here. Prints the seconds and those of processors as JSON.
"""

import functools
import io
import json
import multiprocessing
import os
import pathlib
import sys
import time
import zipfile

from PIL import Image


@functools.cache
def opened(path):
    return zipfile.ZipFile(path)


def prepared(path, side, name):
    data = (path / name).read_bytes() if path.is_dir() else opened(path).read(name)
    image = Image.open(io.BytesIO(data)).convert("RGB")
    size = min(image.size)
    left, top = [(n - size) // 2 for n in image.size]
    return image.resize((side, side), Image.BOX, (left, top, left + size, top + size)).tobytes()


def main():
    path, side = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    start = time.monotonic()
    if path.is_dir():
        names = [str(file.relative_to(path)) for file in path.rglob("*") if file.is_file()]
    else:
        with zipfile.ZipFile(path) as source:  # not `opened`: processes must not share a place in the file
            names = [name for name in source.namelist() if not name.endswith("/")]
    with multiprocessing.Pool(2) as pool:
        pixels = b"".join(pool.map(functools.partial(prepared, path, side), sorted(names), chunksize=64))
        seconds = time.monotonic() - start
        pool.close()
        pool.join()
    print(json.dumps({"count": len(pixels) // (3 * side * side), "prepare": seconds, "cpu": sum(os.times()[:4])}))


if __name__ == "__main__":
    main()
