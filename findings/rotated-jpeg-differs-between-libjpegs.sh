#!/usr/bin/env bash
# A 4:2:2 JPEG that jpegtran has rotated decodes to other pixels by mozjpeg than by libjpeg-turbo.
#
# Rotation by a quarter turn makes 4:4:0 of 4:2:2 (chroma at half the rows instead of half the columns).
# @jsquash/jpeg, which is mozjpeg in WebAssembly, gives Pillow's pixels exactly for 4:2:0, 4:2:2 and 4:4:4,
# but for 4:4:0 an eighth of the values differ, by up to 2. Whoever takes one for the other in a pipeline
# that counts on equal bytes (hashes, caches, a metric's reference) meets it only with rotated photographs.
#
# Seen with @jsquash/jpeg 1.6.0 in Node.js, Pillow 9.4.0 on libjpeg-turbo 2.1.5 (Debian 12: python3-pil,
# python3-numpy, libjpeg-turbo-progs, nodejs, npm), November 2026.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python=/usr/bin/python3
{ "$python" -c 'import numpy, PIL.Image' && command -v jpegtran; } >/dev/null 2>&1 ||
  apt-get install -y -q python3-numpy python3-pil libjpeg-turbo-progs >"$dir/apt.log" 2>&1
cd "$dir"
npm install --silent --no-audit --no-fund --prefix "$dir" @jsquash/jpeg@1.6.0
"$python" - <<'PY'
import subprocess
import numpy as np
from PIL import Image
y, x = np.mgrid[:48, :64]
waves = [np.sin(x / 5), np.sin(y / 4), np.cos((x + y) / 6)]
image = Image.fromarray(np.stack([127 + 120 * wave for wave in waves], -1).astype(np.uint8))
for name in "420", "422", "444":
    image.save(f"{name}.jpg", quality=90, subsampling=":".join(name))
subprocess.run(["jpegtran", "-rotate", "90", "-outfile", "440.jpg", "422.jpg"], check=True)
PY
cat >decode.mjs <<'JS'
import { readFileSync, writeFileSync } from "node:fs";
import decode, { init } from "@jsquash/jpeg/decode.js";
const wasm = readFileSync("node_modules/@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm");
await init(new WebAssembly.Module(wasm));
for (const name of ["420", "422", "444", "440"]) {
  writeFileSync(`${name}.rgba`, (await decode(readFileSync(`${name}.jpg`))).data);
}
JS
node decode.mjs
"$python" - <<'PY'
import sys
import numpy as np, PIL
from PIL import Image, features
version = features.version("libjpeg_turbo")
if PIL.__version__ != "9.4.0" or version != "2.1.5":
    sys.exit(f"Pillow {PIL.__version__} on libjpeg-turbo {version}, expected 9.4.0 on 2.1.5")
most = {}
for name in "420", "422", "444", "440":
    image = Image.open(f"{name}.jpg")
    pillow = np.asarray(image).astype(int)
    mozjpeg = np.fromfile(f"{name}.rgba", np.uint8).reshape(*pillow.shape[:2], 4)[..., :3]
    gaps = np.abs(pillow - mozjpeg)
    most[name] = gaps.max()
    print(f"{name}: {(gaps > 0).mean():.1%} of the values differ, by up to {gaps.max()}")
same = most["420"] == most["422"] == most["444"] == 0
sys.exit(0 if same and most["440"] == 2 else "the decoders do not differ as described")
PY
