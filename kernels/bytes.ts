/**
 * Converts images between the host's bytes and the device's floats; bytes are transferred.
 *
 * @module
 */
import wgsl from "./bytes.wgsl" with { type: "text" };
import { write } from "../gpu/copy.ts";
import { kernel } from "../gpu/kernel.ts";
import { release, storage } from "../gpu/memory.ts";
import { readLater } from "../gpu/read.ts";
import { folded, type Live, now } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { empty, type Shape, type Tensor } from "../tensor/tensor.ts";

const toFloatsKernel = kernel("bytes", wgsl, "toFloats");
const toBytesKernel = kernel("bytes", wgsl, "toBytes");

/**
 * Uploads bytes as numbers from -1 to 1: `byte / 127.5 - 1`.
 *
 * @param bytes As many as `shape` asks for, in row-major order.
 * @throws {RangeError} If the count does not fit.
 */
export function fromBytes(bytes: Live<Uint8Array<ArrayBuffer>>, shape: Shape): Tensor {
  const y = empty(shape), n4 = Math.ceil(y.size / 4), packed = storage(4 * n4);
  write(packed, () => {
    const given = now(bytes);
    if (given.length !== y.size) {
      throw new RangeError(`fromBytes: got ${given.length} bytes for shape [${shape}]`);
    }
    if (given.length % 4 === 0) return given;
    const whole = new Uint8Array(4 * n4); // the device takes whole words only
    whole.set(given);
    return whole;
  });
  run(toFloatsKernel, { packed, unpacked: y }, { n4 }, folded(Math.ceil(n4 / 64)));
  release(packed);
  return y;
}

/**
 * Numbers from -1 to 1 as bytes: `(x + 1) 127.5`, rounded to the nearest, halves up. What lies
 * outside is held at 0 and 255; NaN becomes 0.
 *
 * @returns The elements in row-major order, once the device has computed them.
 */
export function toBytes(x: Tensor): Promise<Uint8Array<ArrayBuffer>> {
  return toBytesLater(x)();
}

/** The same, but the host waits when it calls what is returned. */
export function toBytesLater(x: Tensor): () => Promise<Uint8Array<ArrayBuffer>> {
  const n4 = Math.ceil(x.size / 4), bytes = storage(4 * n4);
  run(toBytesKernel, { values: x, bytes }, { n4 }, folded(Math.ceil(n4 / 64)));
  const copied = readLater(bytes, 4 * n4);
  // The copy is recorded: the next use of this storage comes later.
  release(bytes);
  return async () => new Uint8Array(await copied(), 0, x.size);
}
