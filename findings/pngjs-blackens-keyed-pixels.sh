#!/usr/bin/env bash
# A PNG may name one colour as transparent (tRNS of an image without alpha channel). pngjs 7.0.0 gives pixels of that
# colour alpha 0 and sets their red, green and blue to 0. Pillow's convert("RGB"), which evaluation tools use to drop
# alpha, keeps the colour. So the same file is an image with a white background there and with a black one here, and
# a Frechet distance of two such sets is one of backgrounds. Files with a full alpha channel are not concerned: there
# pngjs keeps the colour under alpha 0. Who wants a keyed pixel's colour has to look into tRNS himself.
# Versions: pngjs 7.0.0 (npm, Node.js), Pillow 9.4.0 (Debian 12: python3-pil). Seen 2026-11-30.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python=/usr/bin/python3
"$python" -c 'import PIL.Image' 2>/dev/null || apt-get install -y -qq python3-pil >/dev/null
npm install --silent --no-audit --no-fund --prefix "$dir" pngjs@7.0.0 >/dev/null
cat > make.py <<'PY'
from PIL import Image
row = [(250, 240, 230), (10, 20, 30)]
rgb = Image.new("RGB", (2, 1))
rgb.putdata(row)
rgb.save("keyed.png", transparency=row[0])
rgba = Image.new("RGBA", (2, 1))
rgba.putdata([(*row[0], 0), (*row[1], 255)])
rgba.save("alpha.png")
for name in ("keyed", "alpha"):
    print(f"Pillow, {name}.png:", *(value for pixel in Image.open(f"{name}.png").convert("RGB").getdata() for value in pixel))
PY
cat > read.mjs <<'JS'
import { readFileSync } from "node:fs";
import png from "pngjs";
for (const name of ["keyed", "alpha"]) {
  const { data } = png.PNG.sync.read(readFileSync(`${name}.png`));
  console.log(`pngjs, ${name}.png:`, ...[...data].filter((_, i) => i % 4 < 3));
}
JS
{ "$python" make.py; node read.mjs; } | tee seen
cat > expected <<'TXT'
Pillow, keyed.png: 250 240 230 10 20 30
Pillow, alpha.png: 250 240 230 10 20 30
pngjs, keyed.png: 0 0 0 10 20 30
pngjs, alpha.png: 250 240 230 10 20 30
TXT
diff expected seen || { echo "keyed pixels are not read as seen in November 2026"; exit 1; }
