#!/usr/bin/env bash
# Pillow's Image.reduce(3) is one too low where the mean of nine bytes is 5/9 above a whole number.
#
# reduce() is documented to reduce by integer factors and averages each square exactly, rounded half up;
# by 2, 4 and 8 it does. It divides by multiplying with a fraction that was rounded down, so that
# (sum + 4) / 9 falls just below the whole number that it should be: squares of sum 5, 14, 23, ...
# become 0, 1, 2, ... instead of 1, 2, 3, ... One sum in nine is concerned, by one level of 255: small, but
# whoever holds a program to the bytes of reduce(3) takes a right one for wrong.
#
# Seen with Pillow 9.4.0 (Debian 12: python3-pil) and 12.3.0 (PyPI), November 2026.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python=/usr/bin/python3
"$python" -c 'import ensurepip, PIL.Image' >/dev/null 2>&1 ||
  apt-get install -y -q python3-pil python3-venv >"$dir/apt.log" 2>&1
"$python" -m venv "$dir/new"
"$dir/new/bin/pip" install -q --disable-pip-version-check pillow==12.3.0
cat >"$dir/reduce.py" <<'PY'
import sys
import PIL
from PIL import Image
if PIL.__version__ != sys.argv[1]:
    sys.exit(f"Pillow {PIL.__version__}, expected {sys.argv[1]}")
wrong = {}
for side in 2, 3, 4:
    area = side * side
    wrong[side] = []
    for total in range(255 * area + 1):
        low, rest = divmod(total, area)
        image = Image.new("L", (side, side))
        image.putdata([low + (i < rest) for i in range(area)])
        found, rounded = image.reduce(side).getpixel((0, 0)), (2 * total + area) // (2 * area)
        if found != rounded:
            wrong[side].append((total, found, rounded))
    print(f"Pillow {PIL.__version__}, by {side}: {len(wrong[side])} of {255 * area + 1} sums are rounded wrongly")
print("the first, with what it should be:", wrong[3][:3])
as_described = all(total % 9 == 5 and found == rounded - 1 for total, found, rounded in wrong[3])
sys.exit(0 if as_described and not wrong[2] and not wrong[4] and len(wrong[3]) == 255 else "not as described")
PY
"$python" "$dir/reduce.py" 9.4.0
"$dir/new/bin/python" "$dir/reduce.py" 12.3.0
