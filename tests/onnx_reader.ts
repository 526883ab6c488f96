/** Reads an ONNX model and computes it in float64, straight from the operators' definitions. */
import { assert } from "@std/assert";
import { PbfReader } from "pbf";

/** Fields of a message: a list of values each. */
export function fields(bytes: Uint8Array): Map<number, unknown[]> {
  const found = new Map<number, unknown[]>();
  new PbfReader(bytes).readFields((tag, _, pbf) => {
    const value = pbf.type === 2
      ? pbf.readBytes()
      : pbf.type === 5
      ? pbf.readFloat()
      : pbf.readVarint(true);
    found.set(tag, [...found.get(tag) ?? [], value]);
  }, undefined);
  return found;
}

export const text = (bytes: unknown): string => new TextDecoder().decode(bytes as Uint8Array);

interface Value {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}

type Attributes = Readonly<Record<string, number | string | number[]>>;

const sizeOf = (dims: readonly number[]) => dims.reduce((n, size) => n * size, 1);

function made(dims: readonly number[], at: (place: number[]) => number): Value {
  const place = dims.map(() => 0), data = new Float64Array(sizeOf(dims));
  for (let i = 0; i < data.length; i++) {
    data[i] = at(place);
    for (let axis = dims.length - 1; axis >= 0 && ++place[axis] === dims[axis]; axis--) {
      place[axis] = 0;
    }
  }
  return { dims, data };
}

const each = (x: Value, f: (v: number, i: number) => number): Value => ({
  dims: x.dims,
  data: Float64Array.from(x.data as Float64Array, f),
});

/** Of two values whose shapes are equal, or one of which is a number or repeats along axes of size 1. */
function pairs(a: Value, b: Value, f: (a: number, b: number) => number): Value {
  const rank = Math.max(a.dims.length, b.dims.length);
  const long = ({ dims }: Value) => [...Array(rank - dims.length).fill(1), ...dims];
  const [da, db] = [long(a), long(b)], dims = da.map((size, i) => Math.max(size, db[i]));
  const value = ({ data }: Value, own: number[], place: number[]) =>
    data[place.reduce((at, p, i) => at * own[i] + (own[i] === 1 ? 0 : p), 0)];
  return made(dims, (place) => f(value(a, da, place), value(b, db, place)));
}

/** `Conv`, and `ConvTranspose` as what it scatters: both sum over the same triples of places. */
function convolved([x, w, bias]: Value[], how: Attributes, transposed: boolean): Value {
  const [N, C, H, W] = x.dims, [first, second, kh, kw] = w.dims;
  const [s] = how.strides as number[], [p] = how.pads as number[], group = Number(how.group ?? 1);
  const O = transposed ? second * group : first, perGroup = O / group, inputs = C / group;
  const along = (size: number, k: number) =>
    transposed ? (size - 1) * s - 2 * p + k : Math.floor((size + 2 * p - k) / s) + 1;
  const [oh, ow] = [along(H, kh), along(W, kw)];
  return made([N, O, oh, ow], ([n, o, y, x0]) => {
    let sum = bias ? bias.data[o] : 0;
    const g = Math.floor(o / perGroup);
    for (let c = 0; c < inputs; c++) {
      for (let dy = 0; dy < kh; dy++) {
        for (let dx = 0; dx < kw; dx++) {
          const [iy, ix] = transposed
            ? [(y + p - dy) / s, (x0 + p - dx) / s]
            : [y * s - p + dy, x0 * s - p + dx];
          if (!(iy >= 0 && iy < H && ix >= 0 && ix < W)) continue;
          if (!Number.isInteger(iy) || !Number.isInteger(ix)) continue;
          const from = transposed ? (g * inputs + c) * perGroup + o % perGroup : o * inputs + c;
          sum += x.data[((n * C + g * inputs + c) * H + iy) * W + ix] *
            w.data[(from * kh + dy) * kw + dx];
        }
      }
    }
    return sum;
  });
}

function reshaped(x: Value, { data }: Value): Value {
  const dims = Array.from(data, (size, axis) => size === 0 ? x.dims[axis] : size);
  const rest = sizeOf(x.dims) / -sizeOf(dims);
  return { dims: dims.map((size) => size === -1 ? rest : size), data: x.data };
}

const OPS: Readonly<Record<string, (inputs: Value[], how: Attributes) => Value>> = {
  Reshape: ([x, shape]) => reshaped(x, shape),
  Conv: (inputs, how) => convolved(inputs, how, false),
  ConvTranspose: (inputs, how) => convolved(inputs, how, true),
  BatchNormalization: ([x, gamma, beta, mean, variance], { epsilon }) => {
    const plane = sizeOf(x.dims.slice(2)), C = x.dims[1];
    return each(x, (v, i) => {
      const c = Math.floor(i / plane) % C;
      const scale = gamma.data[c] / Math.sqrt(variance.data[c] + Number(epsilon));
      return scale * (v - mean.data[c]) + beta.data[c];
    });
  },
  Relu: ([x]) => each(x, (v) => Math.max(0, v)),
  LeakyRelu: ([x], { alpha }) => each(x, (v) => v < 0 ? Number(alpha) * v : v),
  Tanh: ([x]) => each(x, Math.tanh),
  Sqrt: ([x]) => each(x, Math.sqrt),
  Add: ([a, b]) => pairs(a, b, (a, b) => a + b),
  Mul: ([a, b]) => pairs(a, b, (a, b) => a * b),
  Div: ([a, b]) => pairs(a, b, (a, b) => a / b),
  ReduceMean: ([{ dims: [N, C, H, W], data }]) =>
    // over the channels, which stay as one
    made([N, 1, H, W], ([n, , y, x]) => {
      let sum = 0;
      for (let c = 0; c < C; c++) sum += data[((n * C + c) * H + y) * W + x];
      return sum / C;
    }),
  Resize: ([{ dims: [N, C, H, W], data }, , scales]) => {
    const f = scales.data[2];
    return made(
      [N, C, H * f, W * f],
      ([n, c, y, x]) => data[((n * C + c) * H + Math.floor(y / f)) * W + Math.floor(x / f)],
    );
  },
  MaxPool: ([{ dims: [N, C, H, W], data }]) =>
    made([N, C, H / 2, W / 2], ([n, c, y, x]) => {
      const at = ((n * C + c) * H + 2 * y) * W + 2 * x;
      return Math.max(data[at], data[at + 1], data[at + W], data[at + W + 1]);
    }),
  Transpose: ([{ dims: [N, A, B], data }]) =>
    made([N, B, A], ([n, b, a]) => data[(n * A + a) * B + b]),
  MatMul: ([a, { dims: [, , columns], data }]) => {
    const [N, rows, terms] = a.dims;
    return made([N, rows, columns], ([n, r, c]) => {
      let sum = 0;
      for (let t = 0; t < terms; t++) {
        sum += a.data[(n * rows + r) * terms + t] * data[(n * terms + t) * columns + c];
      }
      return sum;
    });
  },
  Softmax: ([x]) => {
    const width = x.dims.at(-1)!;
    return each(x, (v, i) => {
      const start = i - i % width;
      let sum = 0;
      for (let j = start; j < start + width; j++) sum += Math.exp(x.data[j] - v);
      return 1 / sum;
    });
  },
};

function attributesOf(node: Map<number, unknown[]>): Attributes {
  const all = (node.get(5) ?? []).map((bytes): [string, number | string | number[]] => {
    const own = fields(bytes as Uint8Array), [f] = own.get(2) ?? [], [i] = own.get(3) ?? [];
    const [s] = own.get(4) ?? [], ints = (own.get(8) ?? []) as number[];
    return [text(own.get(1)![0]), s ? text(s) : (f ?? i) as number | undefined ?? ints];
  });
  return Object.fromEntries(all);
}

/** What a model makes of `latents`, `[N, nz]`. */
export function computeOnnx(model: Uint8Array, latents: Float32Array, N: number): Value {
  const graph = fields(fields(model).get(7)![0] as Uint8Array);
  const values = new Map<string, Value>([
    ["", { dims: [], data: [] }],
    ["latents", { dims: [N, latents.length / N], data: latents }],
  ]);
  for (const bytes of graph.get(5) ?? []) {
    const t = fields(bytes as Uint8Array), { buffer } = (t.get(9)![0] as Uint8Array).slice();
    const data = t.get(2)![0] === 7
      ? Array.from(new BigInt64Array(buffer as ArrayBuffer), Number)
      : new Float32Array(buffer as ArrayBuffer);
    values.set(text(t.get(8)![0]), { dims: (t.get(1) ?? []) as number[], data });
  }
  for (const bytes of graph.get(1)!) {
    const node = fields(bytes as Uint8Array), op = text(node.get(4)![0]);
    assert(op in OPS, `no definition of ${op}`);
    const inputs = node.get(1)!.map((name) => {
      assert(values.has(text(name)), `${text(name)} is not made before`);
      return values.get(text(name))!;
    });
    values.set(text(node.get(2)![0]), OPS[op](inputs, attributesOf(node)));
  }
  return values.get(text(fields(graph.get(12)![0] as Uint8Array).get(1)![0]))!;
}
