/**
 * Device memory: buffers and textures, taken by scope and given back to a pool.
 *
 * A step takes and returns the same sizes in the same order each time. So soon every request
 * is met from the pool; and since the pool always gives its oldest resource of those that fit best, the same ones meet
 * in the same dispatches each time, which lets bind groups be kept. Large ones are used for half their
 * size, too: a step of D works on real and fake images at once, one of G on half as many.
 *
 * @module
 */
import { GpuError, TooLargeError } from "./errors.ts";
import { type Gpu, gpu } from "./gpu.ts";

/** A range of a buffer on the device. Sizes are multiples of 16 bytes, so that vec4 fits. */
export class Storage {
  /** False once its scope has taken it back. */
  live = true;
  /** Who takes it back, if anyone. */
  owner: Set<Resource> | undefined;
  /** Grows whenever the contents may change, so that what was derived from them can be kept. */
  version = 0;
  /** A range of `size` bytes from byte `offset` of `buffer`. */
  constructor(
    readonly gpu: Gpu,
    readonly buffer: GPUBuffer,
    /** Names the range in cached bind groups. */
    readonly id: string,
    readonly offset: number,
    readonly size: number,
    /** Place in the order in which resources were made. */
    readonly age = 0,
    /** Of which it is a part, if it is. */
    readonly whole?: Storage,
  ) {}
}

/** A texture array of four numbers a texel, read and written by shaders. */
export class Texture {
  /** False once its scope has taken it back. */
  live = true;
  /** Who takes it back, if anyone. */
  owner: Set<Resource> | undefined;
  /** Of its `kind` a free one is found again that has enough layers. */
  constructor(
    readonly gpu: Gpu,
    readonly texture: GPUTexture,
    readonly view: GPUTextureView,
    readonly id: string,
    readonly kind: string,
    readonly age: number,
  ) {}
}

/** What a binding of a shader can be given. */
export type Resource = Storage | Texture;

/** What is taken back together. */
export type Scope = Set<Resource>;

/** Offsets inside one buffer are multiples of this many bytes. */
export const ALIGNMENT = 256;

/** Bytes a texel of the formats that textures have. */
const TEXEL = { rgba32float: 16, rgba16float: 8 } as const;

/** Bytes from which a buffer of up to twice the size that is asked for may be used. */
const LARGE = 1 << 16;

function taken<T extends Resource>(resource: T): T {
  own(resource, resource.gpu.scope);
  return resource;
}

function own(resource: Resource, by: Scope | undefined): void {
  resource.owner?.delete(resource);
  resource.owner = by;
  by?.add(resource);
}

/**
 * Refuses what is on another device.
 *
 * @throws {GpuError} If it is.
 */
export function assertOn(g: Gpu, resource: Resource): void {
  if (resource.gpu === g) return;
  throw new GpuError(
    `A tensor of one Gpu cannot be used under another (${resource.gpu.info.name}, ${g.info.name}): ` +
      `put the call into use() of its own, or read the tensor and make one of its values`,
  );
}

/** The largest binding of the current device, in bytes. */
export function bindable(): number {
  return gpu().bindable;
}

/** The error for `what` of more bytes than the device allows. */
export function tooLarge({ info }: Gpu, what: string, bytes: number, most: number): TooLargeError {
  return new TooLargeError(
    `${what} is too large for ${info.name}: got ${megabytes(bytes)}, expected at most ` +
      `${megabytes(most)}: use a smaller batch, --accumulate in training, or a narrower network`,
  );
}

/**
 * Takes a buffer of at least `bytes` with undefined contents, owned by the innermost scope.
 *
 * @throws {TooLargeError} If the device has no buffers of that size.
 */
export function storage(bytes: number): Storage {
  const g = gpu(), size = Math.max(ALIGNMENT, Math.ceil(bytes / ALIGNMENT) * ALIGNMENT);
  const { maxBufferSize: most } = g.info.limits;
  if (size > most) throw tooLarge(g, "A buffer", size, most);
  // A new wrapper each time: a use of the old one throws instead of reading garbage.
  const pooled = g.pool.take("buffer", size, size < LARGE ? size : 2 * size) as Storage | undefined;
  if (pooled) {
    const { buffer, age } = pooled, id = buffer.size === size ? `b${age}` : `b${age}:${size}`;
    return taken(new Storage(g, buffer, id, 0, size, age));
  }
  const buffer = g.creating(`a buffer of ${megabytes(size)}`, () =>
    g.device.createBuffer({
      size,
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC | GPUBufferUsage.COPY_DST,
    }));
  g.counters.buffers++;
  g.counters.bytes += size;
  return taken(new Storage(g, buffer, `b${++g.lastId}`, 0, size, g.lastId));
}

/** A part of `whole` that can be bound on its own; `offset` is a multiple of {@linkcode ALIGNMENT}. */
export function part(whole: Storage, offset: number, bytes: number): Storage {
  const size = Math.ceil(bytes / 16) * 16;
  const id = `${whole.id}+${offset}:${size}`, at = whole.offset + offset;
  return new Storage(whole.gpu, whole.buffer, id, at, size, whole.age, whole);
}

/** Buffers of one layout, in ranges that can be bound: in one where all fit. */
export function* ranges<K extends string>(
  buffers: Readonly<Record<K, Storage>>,
): Generator<Record<K, Storage>> {
  const all = Object.entries<Storage>(buffers), [[, { size }]] = all;
  const most = size <= bindable() ? size : Math.floor(bindable() / ALIGNMENT) * ALIGNMENT;
  for (let begin = 0; begin < size; begin += most) {
    const bytes = Math.min(most, size - begin);
    const range = (whole: Storage) => bytes === size ? whole : part(whole, begin, bytes);
    yield Object.fromEntries(all.map(([name, whole]) => [name, range(whole)])) as never;
  }
}

/**
 * Takes a texture of `height` times `width` texels and at least `layers`, owned by the innermost scope.
 *
 * It starts as zeros, and later holds what was last written by someone with the same `use`: who never
 * writes some part of it can rely on zeros there.
 */
export function texture(
  width: number,
  height: number,
  layers: number,
  use = "",
  format: keyof typeof TEXEL = "rgba32float",
): Texture {
  const g = gpu(), kind = `${width}x${height} ${format} ${use}`;
  const pooled = g.pool.take(kind, layers, 2 * layers) as Texture | undefined;
  if (pooled) {
    return taken(new Texture(g, pooled.texture, pooled.view, pooled.id, kind, pooled.age));
  }
  const bytes = TEXEL[format] * width * height * layers;
  const made = g.creating(`a texture of ${megabytes(bytes)}`, () =>
    g.device.createTexture({
      size: [width, height, layers],
      format,
      usage: GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST,
    }));
  g.counters.textures++;
  g.counters.bytes += bytes;
  const view = made.createView({ dimension: "2d-array" });
  return taken(new Texture(g, made, view, `t${++g.lastId}`, kind, g.lastId));
}

/** Runs `body` in a scope of its own; afterwards all that it took is free again, but for `kept`. */
export function inScope<T>(body: () => T, kept: (result: T) => Iterable<Resource>): T {
  const g = gpu(), outer = g.scope;
  const mine: Scope = g.scope = new Set();
  g.outermost ??= mine;
  try {
    const result = body();
    for (const resource of kept(result)) {
      if (resource.owner === mine) own(resource, outer);
    }
    return result;
  } finally {
    g.scope = outer;
    if (!outer) g.outermost = undefined;
    for (const resource of mine) release(resource);
  }
}

/** Whether the innermost scope owns a resource. */
export function isOwn(resource: Resource): boolean {
  const { scope } = resource.gpu;
  return scope !== undefined && resource.owner === scope;
}

/** Makes the innermost scope the owner of a resource, in place of one around it. */
export function adopt(resource: Resource): void {
  own(resource, resource.gpu.scope);
}

/**
 * Runs `body` so that what it takes lives as long as `resource`; beside one that no scope owns, as long
 * as the outermost scope.
 */
export function beside<T>(resource: Resource, body: () => T): T {
  const { owner, gpu: g } = resource instanceof Storage ? resource.whole ?? resource : resource;
  const inner = g.scope;
  g.scope = owner ?? g.outermost;
  try {
    return body();
  } finally {
    g.scope = inner;
  }
}

/** Runs `body` outside of any scope: what it takes and does not give back stays. */
export function outside<T>(body: () => T): T {
  const g = gpu(), { scope, outermost } = g;
  g.scope = g.outermost = undefined;
  try {
    return body();
  } finally {
    g.scope = scope;
    g.outermost = outermost;
  }
}

/** What WebGPU calls it by; parts of a buffer have the same. */
export function handleOf(resource: Resource): GPUBuffer | GPUTexture {
  return resource instanceof Storage ? resource.buffer : resource.texture;
}

/** Takes these out of the pool, as far as they are there; they can be released later. */
export function claim(handles: ReadonlySet<GPUBuffer | GPUTexture>): Resource[] {
  return gpu().pool.takeAll((resource) => handles.has(handleOf(resource)));
}

/** Gives a buffer or texture back to the pool, ahead of its scope. */
export function release(resource: Resource): void {
  const { pool } = resource.gpu;
  own(resource, undefined);
  resource.live = false;
  if (resource instanceof Storage) pool.put("buffer", resource.buffer.size, resource);
  else pool.put(resource.kind, resource.texture.depthOrArrayLayers, resource);
}

/**
 * Destroys what lies in the pool, for when other sizes will be needed from now on. Commands that use
 * it must have been submitted.
 */
export function drain({ pool, counters }: Gpu): void {
  for (const resource of pool.takeAll()) {
    if (resource instanceof Storage) {
      counters.bytes -= resource.buffer.size;
      resource.buffer.destroy();
    } else {
      const { width, height, depthOrArrayLayers, format } = resource.texture;
      resource.texture.destroy();
      counters.bytes -= TEXEL[format as keyof typeof TEXEL] * width * height * depthOrArrayLayers;
    }
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
