#!/usr/bin/env bash
# By its defaults hyparquet destroys encoded images in Parquet, without an error.
#
# Hugging Face's data sets keep an image as a BYTE_ARRAY without a logical type. hyparquet's option
# utf8, true by default, decodes such columns as UTF-8: a PNG comes back as a string whose first byte
# is U+FFFD, and what was not UTF-8 is lost. With utf8: false the bytes are right.
#
# Seen with hyparquet 1.33.0 and hyparquet-writer 0.17.0 in Node.js 20, November 2026.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix "$dir" hyparquet@1.33.0 hyparquet-writer@0.17.0
cat >read.mjs <<'JS'
import { parquetReadObjects } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
const png = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13);
const file = parquetWriteBuffer({ columnData: [{ name: "bytes", data: [png], type: "BYTE_ARRAY" }] });
const [{ bytes: text }] = await parquetReadObjects({ file });
const [{ bytes }] = await parquetReadObjects({ file, utf8: false });
const again = typeof text === "string" ? new TextEncoder().encode(text) : text;
console.log(`default: ${typeof text}, first bytes ${[...again.slice(0, 4)].join(" ")}`);
console.log(`utf8: false: ${bytes.constructor.name}, first bytes ${[...bytes.slice(0, 4)].join(" ")}`);
const isLost = typeof text === "string" && Buffer.compare(again, png) !== 0;
const isKept = bytes instanceof Uint8Array && Buffer.compare(bytes, png) === 0;
if (!isLost || !isKept) {
  console.error("the bytes do not come back as described");
  process.exit(1);
}
JS
node read.mjs
