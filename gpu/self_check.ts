/** Small shaders with known results, which check a feature before it is used. */
/** A shader and its expected result. */
export interface SelfTest {
  readonly code: string;
  /** Values for `override` declarations. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Textures of four numbers a texel for bindings 0, 1 ...; the result is the binding after these. */
  readonly images?: readonly {
    readonly data: readonly number[];
    readonly width: number;
    readonly height: number;
  }[];
  readonly groups: readonly [number, number];
  /** The right result. */
  readonly expected: readonly number[];
}

/**
 * True if the device computes what is expected, to the last bit; false also if it refuses.
 *
 * It refers to nothing outside of itself: gpu/engines/vectors.ts sends its text to another process.
 */
export async function passes(device: GPUDevice, test: SelfTest): Promise<boolean> {
  const { code, constants = {}, images = [], groups, expected } = test, size = 4 * expected.length;
  const { STORAGE, COPY_SRC, COPY_DST, MAP_READ } = GPUBufferUsage;
  device.pushErrorScope("validation");
  const textures = images.map(({ data, width, height }) => {
    const usage = GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST;
    const made = device.createTexture({ size: [width, height], format: "rgba32float", usage });
    const size = [width, height];
    const texels = new Float32Array(data);
    device.queue.writeTexture({ texture: made }, texels, { bytesPerRow: 16 * width }, size);
    return made;
  });
  const y = device.createBuffer({ size, usage: STORAGE | COPY_SRC });
  const staging = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
  const module = device.createShaderModule({ code });
  const pipeline = device.createComputePipeline({ layout: "auto", compute: { module, constants } });
  const views = textures.map((made) => made.createView({ dimension: "2d-array" }));
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: [...views, { buffer: y }].map((resource, binding) => ({ binding, resource })),
  });
  const encoder = device.createCommandEncoder(), pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, group);
  pass.dispatchWorkgroups(...groups);
  pass.end();
  encoder.copyBufferToBuffer(y, 0, staging, 0, size);
  device.queue.submit([encoder.finish()]);
  let right = !await device.popErrorScope();
  if (right) {
    await staging.mapAsync(GPUMapMode.READ);
    const found = new Float32Array(staging.getMappedRange());
    right = found.every((value, i) => value === expected[i]);
    staging.unmap();
  }
  for (const made of [...textures, y, staging]) made.destroy();
  return right;
}
