/**
 * Tensors to and from checkpoint entries.
 *
 * Names are module paths. Weights of convolutions, the only parameters with four axes, are
 * `[kh, kw, C, O]` on the device and `[O, C, kh, kw]` in a file, as PyTorch has them. Their right
 * singular vectors, the only tensors with three, are `[kh, kw, C]` and, in a file, `[C kh kw]`.
 *
 * @module
 */
import { sameShape, type Shape, type Tensor } from "../tensor/tensor.ts";
import { CheckpointError } from "../io/errors.ts";
import type { Entry } from "../io/safetensors.ts";

/** Copies tensors to the host as entries of a checkpoint. */
export async function toEntries(
  named: Iterable<readonly [string, Tensor]>,
): Promise<Map<string, Entry>> {
  const reads = [...named].map(async ([name, t]) =>
    [name, entryOf(t.shape, await t.read())] as const
  );
  return new Map(await Promise.all(reads));
}

/**
 * Replaces tensors by entries of a checkpoint.
 *
 * @param where The file's name, for messages.
 * @throws {CheckpointError} If one is missing or has another shape; then nothing was replaced.
 */
export function fromEntries(
  named: Iterable<readonly [string, Tensor]>,
  entries: ReadonlyMap<string, Entry>,
  where: string,
): void {
  const found = [...named].map(([name, t]) => {
    const entry = entries.get(name);
    if (!entry) throw new CheckpointError(`${where} has no ${name}: it is of another network`);
    const shape = fileShape(t.shape);
    if (entry.dtype !== "F32" || !sameShape(entry.shape, shape)) {
      throw new CheckpointError(
        `${where}: ${name} is ${entry.dtype} [${entry.shape}], expected F32 [${shape}]: ` +
          `it is of another network`,
      );
    }
    return [t, entry.data as Float32Array] as const;
  });
  for (const [t, data] of found) {
    t.write(t.shape.length > 2 ? toDevice(data, t.shape) : data);
  }
}

function entryOf(shape: Shape, data: Float32Array): Entry {
  return {
    dtype: "F32",
    shape: [...fileShape(shape)],
    data: shape.length > 2 ? toFile(data, shape) : data,
  };
}

/** The shape that a tensor of the device has in a file. */
export function fileShape(shape: Shape): Shape {
  const [kh, kw, C, O] = shape;
  if (shape.length === 3) return [C * kh * kw];
  return shape.length === 4 ? [O, C, kh, kw] : shape;
}

/** For each element of `[kh, kw, C, O]`, in order, its place in `[O, C, kh, kw]`; O may be left out. */
function* places([kh, kw, C, O = 1]: Shape): Generator<number> {
  const taps = kh * kw;
  for (let tap = 0; tap < taps; tap++) {
    for (let c = 0; c < C; c++) {
      for (let o = 0; o < O; o++) yield (o * C + c) * taps + tap;
    }
  }
}

function toFile(data: Float32Array, shape: Shape): Float32Array {
  const out = new Float32Array(data.length);
  let i = 0;
  for (const place of places(shape)) out[place] = data[i++];
  return out;
}

function toDevice(data: Float32Array, shape: Shape): Float32Array {
  const out = new Float32Array(data.length);
  let i = 0;
  for (const place of places(shape)) out[i++] = data[place];
  return out;
}
