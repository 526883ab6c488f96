/** A face network that is narrower than dlib's, of weights that anybody can draw, and images for it. */

const WIDTHS: Readonly<Record<string, number>> = { 32: 4, 64: 8, 128: 16, 256: 32 };
const BLOCKS = [
  ...["32_1", "32_2", "32_3", "64_down", "64_1", "64_2", "64_3", "128_down", "128_1", "128_2"],
  ...["256_down", "256_1", "256_2", "256_down_out"],
];
/** One array that is not in bytes. */
const PLAIN = "conv64_1/conv2/conv/filters";

/** A byte for each number, evenly. */
function byte(i: number): number {
  return Math.imul(i + 1, 0x9e3779b1) >>> 24;
}

/** The names and shapes of all arrays, in order. */
function* arrays(): Generator<[name: string, shape: number[]]> {
  function* conv(path: string, kernel: number, inputs: number, outputs: number) {
    yield [`${path}/conv/filters`, [kernel, kernel, inputs, outputs]] as [string, number[]];
    for (const name of ["conv/bias", "scale/weights", "scale/biases"]) {
      yield [`${path}/${name}`, [outputs]] as [string, number[]];
    }
  }
  yield* conv("conv32_down", 7, 3, WIDTHS[32]);
  let width = WIDTHS[32];
  for (const block of BLOCKS) {
    const outputs = WIDTHS[block.split("_")[0]];
    yield* conv(`conv${block}/conv1`, 3, width, outputs);
    yield* conv(`conv${block}/conv2`, 3, outputs, outputs);
    width = outputs;
  }
  yield ["fc", [width, 128]];
}

/** Values keep their size from layer to layer. */
function rangeOf(name: string, shape: readonly number[]): { scale: number; min: number } {
  if (name.endsWith("scale/weights")) return { scale: 1 / 255, min: 0.5 };
  if (shape.length === 1) return { scale: 1 / 500, min: -0.25 };
  const gain = name === "fc" ? 8 : 1; // so that images are two persons
  const scale = gain / (74 * Math.sqrt(shape.slice(0, -1).reduce((n, size) => n * size)));
  return { scale, min: -127.5 * scale };
}

/** A `.bin`, and its manifest. */
export function drawnFace(): { bin: Uint8Array; manifest: object } {
  const parts: Uint8Array[] = [], weights: object[] = [];
  let drawn = 0;
  for (const [name, shape] of arrays()) {
    const size = shape.reduce((n, side) => n * side), { scale, min } = rangeOf(name, shape);
    const bytes = Uint8Array.from({ length: size }, () => byte(drawn++));
    const plain = name === PLAIN;
    parts.push(
      plain
        ? new Uint8Array(Float32Array.from(bytes, (value) => value * scale + min).buffer)
        : bytes,
    );
    const quantization = { dtype: "uint8", scale, min };
    weights.push({ name, shape, dtype: "float32", ...!plain && { quantization } });
  }
  const bin = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  parts.reduce((at, part) => (bin.set(part, at), at + part.length), 0);
  return { bin, manifest: [{ weights, paths: ["drawn.bin"] }] };
}

/** Bytes of image `n`, `[150, 150, 3]`: waves with noise. */
export function drawnImage(n: number): Uint8Array {
  return Uint8Array.from({ length: 150 * 150 * 3 }, (_, i) => {
    const c = i % 3, x = Math.floor(i / 3) % 150, y = Math.floor(i / 450);
    const wave = Math.sin(x / (9 + c + n)) * Math.cos(y / (7 + n));
    return Math.round(127 + 100 * wave + byte(i + n) / 10 - 12);
  });
}
