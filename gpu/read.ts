import { copyOut } from "./copy.ts";
import type { Storage } from "./memory.ts";

/**
 * Copies storage back to the host.
 *
 * @param bytes How much, from the start; a multiple of 4.
 * @throws {GpuError} If anything recorded so far went wrong, or the device is lost.
 */
export async function read(from: Storage, bytes: number): Promise<ArrayBuffer> {
  const { gpu: g } = from, pool = g.staging.get(bytes) ?? [];
  g.staging.set(bytes, pool);
  const buffer = pool.pop() ?? g.device.createBuffer({
    label: "staging",
    size: bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  g.use(() => copyOut(from, buffer, bytes));
  try {
    await buffer.mapAsync(GPUMapMode.READ);
  } catch (error) {
    await new Promise((resolve) => setTimeout(resolve)); // what happened is told by an event
    await g.check();
    throw error;
  }
  await g.check(); // Deno maps buffers of lost devices, too
  const values = buffer.getMappedRange().slice(0);
  buffer.unmap();
  // A few small ones are worth keeping; a network's weights are not.
  if (bytes <= 1 << 16 && pool.length < 8) pool.push(buffer);
  else buffer.destroy();
  return values;
}
