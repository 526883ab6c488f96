/**
 * Pictures as bytes to tensors in [-1, 1], and back.
 *
 * @module
 */
import wgsl from "./bytes.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { release, storage } from "../gpu/memory.ts";
import { folded, read, run, write } from "../gpu/record.ts";
import { empty, type Shape, type Tensor } from "../tensor/tensor.ts";

const unpackKernel = kernel("bytes", wgsl, "unpack");
const packKernel = kernel("bytes", wgsl, "pack");

/**
 * Uploads bytes and makes numbers of them: `v / 127.5 - 1`.
 *
 * @throws {RangeError} If there are not as many as `shape` says.
 */
export function fromBytes(bytes: Uint8Array<ArrayBuffer>, shape: Shape): Tensor {
  const y = empty(shape), n4 = Math.ceil(y.size / 4);
  if (bytes.length !== y.size) {
    throw new RangeError(`fromBytes: got ${bytes.length} bytes for shape [${shape}]`);
  }
  const packed = storage(4 * n4);
  // An upload is a multiple of four bytes.
  const whole = bytes.length % 4 ? new Uint8Array(4 * n4) : bytes;
  if (whole !== bytes) whole.set(bytes);
  write(packed, whole);
  run(unpackKernel, { packed, floats: y }, { n4 }, folded(Math.ceil(n4 / 64)));
  return y;
}

/** Rounds `(x + 1) 127.5` to bytes, halves up, held to 0..255, and copies them to the host. */
export async function toBytes(x: Tensor): Promise<Uint8Array<ArrayBuffer>> {
  const n4 = Math.ceil(x.size / 4), bytes = storage(4 * n4);
  run(packKernel, { x, bytes }, { n4 }, folded(Math.ceil(n4 / 64)));
  const values = read(bytes, 4 * n4);
  release(bytes); // the copy to the host is recorded
  return new Uint8Array(await values, 0, x.size);
}
