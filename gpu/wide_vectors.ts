/**
 * Vectors of 512 bits on lavapipe, Mesa's software device.
 *
 * Left to itself it uses 256. With AVX-512, twice as wide is 1.4 times faster (Mesa 22.3), but Mesa 25.0
 * reads storage textures wrongly then. So it is asked for, and checked.
 *
 * @module
 */
import wgsl from "./wide_vectors.wgsl" with { type: "text" };

/** The shader of the self-test. */
export const product = wgsl;

const VARIABLE = "LP_NATIVE_VECTOR_WIDTH";

/** Asks for them where the processor has them; to be called before the first adapter is asked for. */
export function askForWideVectors(): void {
  if (Deno.build.os !== "linux" || Deno.env.get(VARIABLE) !== undefined) return;
  try {
    const flags = Deno.readTextFileSync("/proc/cpuinfo");
    if (["avx512f", "avx512bw", "avx512dq", "avx512vl"].every((name) => flags.includes(name))) {
      Deno.env.set(VARIABLE, "512");
    }
  } catch {
    // Not told: then it stays as it is.
  }
}

/** Lanes of a device by its name, e.g. 8 for `llvmpipe (LLVM 15.0.6, 256 bits)`. */
export function lanesOf(name: string): number {
  return Number(/, (\d+) bits\)/.exec(name)?.[1] ?? 256) / 32;
}

/** True if the device reads storage textures rightly: `code` makes a product with a known result. */
export async function readsTextures(device: GPUDevice, code = product): Promise<boolean> {
  const [M, K, N] = [8, 64, 256];
  const a = Float32Array.from({ length: M * K }, (_, i) => i * 7 % 17 - 8);
  const b = Float32Array.from({ length: K * N }, (_, i) => i * 5 % 23 - 11);
  const textures: GPUTexture[] = [];
  const image = (data: Float32Array<ArrayBuffer>, width: number, height: number) => {
    const usage = GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST;
    const made = device.createTexture({ size: [width, height], format: "rgba32float", usage });
    device.queue.writeTexture({ texture: made }, data, { bytesPerRow: 16 * width }, [
      width,
      height,
    ]);
    textures.push(made);
    return made.createView({ dimension: "2d-array" });
  };
  const size = 4 * M * N, { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  const y = device.createBuffer({ size, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module } });
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [image(a, K / 4, M), image(b, N / 4, K), { buffer: y }]
      .map((resource, binding) => ({ binding, resource })),
  });
  const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(N / 128, M / 2);
  pass.end();
  encoder.copyBufferToBuffer(y, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  await staging.mapAsync(GPUMapMode.READ);
  const found = new Float32Array(staging.getMappedRange());
  // Small whole numbers: their sums have no rounding.
  const right = found.every((value, i) => {
    const row = Math.floor(i / N), col = i % N;
    let sum = 0;
    for (let k = 0; k < K; k++) sum += a[row * K + k] * b[k * N + col];
    return value === sum;
  });
  staging.unmap();
  for (const made of [...textures, y, staging]) made.destroy();
  return right;
}
