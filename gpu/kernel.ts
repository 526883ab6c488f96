/**
 * Turns an entry point of a WGSL file into a kernel.
 *
 * The shader is the declaration: bindings and parameters are written there, once, and read from
 * its text. An entry point is given the bindings that its own text and the functions that it calls
 * mention, so one file can hold several that differ in what they bind.
 *
 * @module
 */
import type { Engine } from "./device.ts";
import type { Gpu } from "./gpu.ts";
import { memo } from "./memo.ts";
import { type Declared, readShader } from "./shader.ts";
import type { Source } from "./wgsl.ts";

/** A field of `struct Params`. */
export type Field = { readonly name: string; readonly type: "u32" | "i32" | "f32" };
/** A binding that an entry point uses. */
export type Binding = {
  /** Its name in the WGSL. */
  readonly name: string;
  /** The number of its `@binding`. */
  readonly index: number;
  /** WebGPU's layout entry. */
  readonly layout: Omit<GPUBindGroupLayoutEntry, "binding" | "visibility">;
};

/** A pipeline with what is needed to bind it. */
export interface Pipeline {
  /** The compiled shader. */
  readonly pipeline: GPUComputePipeline;
  /** The layout of its bind groups. */
  readonly layout: GPUBindGroupLayout;
  /** Cached bind groups, by the ids of their resources. */
  readonly groups: Map<string, GPUBindGroup>;
}

/** One entry point of a WGSL text. Nothing is compiled until it first runs on a device. */
export interface Kernel {
  /** `file/entry`, for messages and profiles. */
  readonly label: string;
  /** The expanded text. */
  readonly code: string;
  /** File and line of each line of `code`, where it was expanded. */
  readonly origins: readonly string[];
  /** The name of its function. */
  readonly entryPoint: string;
  /** Its bindings. */
  readonly bindings: readonly Binding[];
  /** The fields of its `struct Params`. */
  readonly params: readonly Field[];
}

/**
 * Declares a kernel. Its text is read when its bindings or parameters are first asked for: to read all that
 * are declared takes longer than a small command.
 *
 * @param file The name of the WGSL file, for messages.
 * @param source Its text, or what `expand` made of it.
 * @throws {TypeError} When it is first used, if the text has no such entry point.
 */
export function kernel(
  file: string,
  source: string | Source,
  entryPoint = "main",
): Kernel {
  const code = typeof source === "string" ? source : source.code;
  let known: Pick<Kernel, "bindings" | "params"> | undefined;
  const declared = () => known ??= declaredIn(file, code, entryPoint);
  return {
    label: `${file}/${entryPoint}`,
    code,
    origins: typeof source === "string" ? [] : source.origins,
    entryPoint,
    get bindings() {
      return declared().bindings;
    },
    get params() {
      return declared().params;
    },
  };
}

const read = memo(({ code }: { code: string }) => readShader(code));

function declaredIn(file: string, code: string, entryPoint: string) {
  const shader = read({ code }), used = shader.usedBy(entryPoint);
  if (!used) throw new TypeError(`${file}.wgsl has no entry point ${entryPoint}`);
  return {
    bindings: shader.bindings.filter(({ name }) => used.has(name)).map((declared) => ({
      name: declared.name,
      index: declared.index,
      layout: layoutOf(declared),
    })),
    params: shader.fields("Params").map(({ name, type }) => {
      if (!isNumber(type)) throw new TypeError(`${file}.wgsl: Params.${name} is a ${type}`);
      return { name, type };
    }),
  };
}

function isNumber(type: string): type is Field["type"] {
  return ["u32", "i32", "f32"].includes(type);
}

function layoutOf({ space, type }: Declared): Binding["layout"] {
  if (space === "uniform") return { buffer: { type: "uniform", hasDynamicOffset: true } };
  if (space === "") {
    const [, format, access] =
      /^texture_storage_2d_array<(rgba32float|rgba16float),(read|write)>$/.exec(type) ?? [];
    if (!access) throw new TypeError(`kernel: no rule for a binding of type ${type}`);
    return {
      storageTexture: {
        access: access === "read" ? "read-only" : "write-only",
        format: format as GPUTextureFormat,
        viewDimension: "2d-array",
      },
    };
  }
  return { buffer: { type: space.includes("read_write") ? "storage" : "read-only-storage" } };
}

/** A text with the directives that an engine wants; its lines stay where they are. */
export function directed(
  code: string,
  { enablesSubgroups }: Pick<Engine, "enablesSubgroups">,
): string {
  return enablesSubgroups && /\bsubgroup[A-Z]/.test(code) ? `enable subgroups; ${code}` : code;
}

/** A compiler's message with the files and lines that its places in the expanded text come from. */
export function located(message: string, origins: readonly string[]): string {
  return message.replace(/(?:wgsl)?:(\d+):\d+/g, (place, line) => {
    const origin = origins[Number(line) - 1];
    return origin ? `${place} (${origin})` : place;
  });
}

/** Drops all cached bind groups, also those of destroyed resources. */
export function forgetGroups({ pipelines }: Gpu): void {
  for (const made of pipelines.values()) for (const { groups } of made.values()) groups.clear();
}

/** The pipeline for given `override` constants, compiled at first use. */
export function pipelineOf(
  g: Gpu,
  k: Kernel,
  constants: Readonly<Record<string, number>>,
): Pipeline {
  const key = keyOf(constants);
  let made = g.pipelines.get(k);
  if (!made) g.pipelines.set(k, made = new Map());
  let pipeline = made.get(key);
  if (!pipeline) made.set(key, pipeline = compiled(g, k, constants));
  return pipeline;
}

/** Whether that pipeline is there. */
export function hasPipeline(
  { pipelines }: Gpu,
  k: Kernel,
  constants: Readonly<Record<string, number>>,
): boolean {
  return pipelines.get(k)?.has(keyOf(constants)) ?? false;
}

function keyOf(constants: Readonly<Record<string, number>>): string {
  let key = "";
  for (const name in constants) key += `${name}=${constants[name]};`;
  return key;
}

/** What a pipeline is made of. */
export interface Parts extends Pick<Kernel, "label" | "code" | "entryPoint" | "bindings"> {
  /** Values of `override` declarations. */
  readonly constants: Readonly<Record<string, number>>;
}

/**
 * Compiles a kernel. It refers to nothing outside of itself: gpu/engines/narrow.ts sends its text to
 * another process.
 */
export function makePipeline(device: GPUDevice, parts: Parts): Omit<Pipeline, "groups"> {
  const { label, code, entryPoint, bindings, constants } = parts;
  const layout = device.createBindGroupLayout({
    label,
    entries: bindings.map(({ index, layout }) => ({
      binding: index,
      visibility: GPUShaderStage.COMPUTE,
      ...layout,
    })),
  });
  const pipeline = device.createComputePipeline({
    label,
    layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
    compute: { module: device.createShaderModule({ label, code }), entryPoint, constants },
  });
  return { pipeline, layout };
}

function compiled(g: Gpu, k: Kernel, constants: Readonly<Record<string, number>>): Pipeline {
  if (g.debug) console.error(`// ${k.label} ${JSON.stringify(constants)}\n${k.code}\n`);
  g.counters.pipelines++;
  return g.creating(`the shader ${k.label}`, () => {
    const parts = { ...k, code: directed(k.code, g.engine), constants };
    return { ...makePipeline(g.device, parts), groups: new Map<string, GPUBindGroup>() };
  }, (message) => located(message, k.origins));
}
