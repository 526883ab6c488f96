import { copyOut } from "./copy.ts";
import { GpuError } from "./errors.ts";
import type { Storage } from "./memory.ts";

/**
 * Copies storage back to the host.
 *
 * @param bytes How much, from the start; a multiple of 4.
 * @throws {GpuError} If anything recorded so far went wrong, or the device is lost.
 */
export function read(from: Storage, bytes: number): Promise<ArrayBuffer> {
  return readLater(from, bytes)();
}

/**
 * Copies storage now; the host waits when it calls what is returned. Deno blocks its thread while it
 * waits, so that what it can do meanwhile belongs between the two.
 */
export function readLater(from: Storage, bytes: number): () => Promise<ArrayBuffer> {
  const { gpu: g } = from, wait = copied(from, bytes);
  return async () => {
    const values = await wait();
    await g.check(); // Deno maps buffers of lost devices, too
    if (values instanceof ArrayBuffer) return values;
    throw new GpuError(`The GPU's results cannot be read: ${(values as Error).message}`);
  };
}

/** The same beside something else, to which all that went wrong is left to be told; then there are zeros. */
export async function peek(from: Storage, bytes: number): Promise<ArrayBuffer> {
  const values = await copied(from, bytes)();
  return values instanceof ArrayBuffer ? values : new ArrayBuffer(bytes);
}

/** Waits for the bytes, or for why they cannot be had. */
function copied(from: Storage, bytes: number): () => Promise<unknown> {
  const { gpu: g } = from, pool = g.staging.get(bytes) ?? [];
  g.staging.set(bytes, pool);
  const buffer = pool.pop() ??
    g.creating("a buffer to read results with", () =>
      g.device.createBuffer({
        label: "staging",
        size: bytes,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
      }));
  g.use(() => copyOut(from, buffer, bytes));
  return async () => {
    try {
      await buffer.mapAsync(GPUMapMode.READ).catch(async (error) => {
        await new Promise((resolve) => setTimeout(resolve)); // what happened is told by an event
        throw error;
      });
      const values = buffer.getMappedRange().slice(0);
      buffer.unmap();
      // A few small ones are worth keeping; a network's weights are not.
      if (bytes <= 1 << 16 && pool.length < 8) pool.push(buffer);
      else buffer.destroy();
      return values;
    } catch (error) {
      return error;
    }
  };
}
