import { checkGpu, gpu } from "./device.ts";
import type { Storage } from "./memory.ts";
import { copyOut } from "./copy.ts";

const staging = new Map<number, GPUBuffer[]>();

/**
 * Copies storage back to the host.
 *
 * @param bytes How much, from the start; a multiple of 4.
 * @throws {GpuError} If anything recorded so far went wrong.
 */
export async function read(from: Storage, bytes: number): Promise<ArrayBuffer> {
  const pool = staging.get(bytes) ?? [];
  staging.set(bytes, pool);
  const buffer = pool.pop() ?? gpu().createBuffer({
    label: "staging",
    size: bytes,
    usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST,
  });
  copyOut(from, buffer, bytes);
  try {
    await buffer.mapAsync(GPUMapMode.READ);
  } catch (error) {
    await new Promise((resolve) => setTimeout(resolve)); // what happened is told by an event
    await checkGpu();
    throw error;
  }
  await checkGpu();
  const values = buffer.getMappedRange().slice(0);
  buffer.unmap();
  // A few small ones are worth keeping; a whole net's weights are not.
  if (bytes <= 1 << 16 && pool.length < 8) pool.push(buffer);
  else buffer.destroy();
  return values;
}
