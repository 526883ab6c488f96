/**
 * Turns an entry point of a WGSL file into a kernel.
 *
 * The shader is the declaration: bindings and parameters are written there, once, and read from
 * its text. An entry point is given the bindings that its own text and the functions that it calls
 * mention, so one file can hold several that differ in what they bind.
 *
 * @module
 */
import { creating, gpu } from "./device.ts";
import { counters } from "./memory.ts";

type Field = { readonly name: string; readonly type: "u32" | "i32" | "f32" };
type Binding = {
  readonly name: string;
  readonly index: number;
  /** Whether it is an array of vec4f. */
  readonly inFours: boolean;
  readonly layout: Omit<GPUBindGroupLayoutEntry, "binding" | "visibility">;
};

/** A pipeline with what is needed to bind it. */
export interface Pipeline {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
  /** By the ids of the resources bound. */
  readonly groups: Map<string, GPUBindGroup>;
}

/** One entry point of a WGSL text. Nothing is compiled until it first runs. */
export interface Kernel {
  /** `file/entry`, for messages and profiles. */
  readonly label: string;
  readonly code: string;
  readonly entryPoint: string;
  readonly bindings: readonly Binding[];
  readonly params: readonly Field[];
  /** Bindings of which every lane reads its own elements before it writes them, and no others. */
  readonly updates: readonly string[];
  /** By the values of the `override` constants. */
  readonly pipelines: Map<string, Pipeline>;
}

const BINDING = /@group\(0\) @binding\((\d+)\) var(?:<([^>]*)>)? (\w+)\s*:\s*([^;]+);/g;
const FUNCTION = /(?:@compute[^{]*?)?fn (\w+)\s*\(/g;
const PARAMS = /struct Params \{([^}]*)\}/;
const FIELD = /(\w+)\s*:\s*(u32|i32|f32)/g;

/**
 * Declares a kernel.
 *
 * @param file The name of the WGSL file, for messages.
 * @param code Its text.
 * @param updates Which bindings are updated in place: of these, every lane reads its own elements before it
 * writes them, and no others.
 * @throws {TypeError} If the text has no such entry point.
 */
export function kernel(
  file: string,
  code: string,
  entryPoint = "main",
  updates: readonly string[] = [],
): Kernel {
  const text = code.replace(/\/\/.*$/gm, "");
  const seen = visibleTo(entryPoint, text);
  if (seen === undefined) throw new TypeError(`${file}.wgsl has no entry point ${entryPoint}`);
  const fours = ["vec4f", ...[...text.matchAll(/alias (\w+) = vec4f;/g)].map(([, name]) => name)];
  const bindings = [...text.matchAll(BINDING)]
    .filter(([, , , name]) => new RegExp(`(?<![.\\w])${name}\\b`).test(seen))
    .map(([, index, space, name, type]) => ({
      name,
      index: Number(index),
      inFours: fours.some((four) => type === `array<${four}>`),
      layout: layoutOf(space, type),
    }));
  const params = [...(PARAMS.exec(text)?.[1] ?? "").matchAll(FIELD)]
    .map(([, name, type]) => ({ name, type: type as Field["type"] }));
  return {
    label: `${file}/${entryPoint}`,
    code,
    entryPoint,
    bindings,
    params,
    updates,
    pipelines: new Map(),
  };
}

/** The text of the entry point and of all functions that it calls, or that those call. */
function visibleTo(entryPoint: string, text: string): string | undefined {
  const starts = [...text.matchAll(FUNCTION)];
  const parts = starts.map((match, i) => ({
    name: match[1],
    entry: match[0].startsWith("@compute"),
    text: text.slice(match.index, starts[i + 1]?.index),
  }));
  if (!parts.some(({ name, entry }) => entry && name === entryPoint)) return undefined;
  const called = new Set([entryPoint]),
    textOf = new Map(parts.map(({ name, text }) => [name, text]));
  for (const name of called) {
    for (const [, callee] of textOf.get(name)!.matchAll(/(?<!fn )\b(\w+)\s*\(/g)) {
      if (textOf.has(callee)) called.add(callee); // which the loop comes to
    }
  }
  return [...called].map((name) => textOf.get(name)).join("");
}

function layoutOf(space: string | undefined, type: string): Binding["layout"] {
  if (space === "uniform") return { buffer: { type: "uniform", hasDynamicOffset: true } };
  if (space === undefined) {
    const [, format, access] =
      /texture_storage_2d_array<(rgba32float|rgba16float), (read|write)>/.exec(type) ?? [];
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

const compiled: Pipeline[] = [];

/** Drops all bind groups: those of resources that are destroyed would stay for ever. */
export function forgetGroups(): void {
  for (const { groups } of compiled) groups.clear();
}

/** The pipeline for given `override` constants, compiled at first use. */
export function pipelineOf(k: Kernel, constants: Readonly<Record<string, number>>): Pipeline {
  let key = "";
  for (const name in constants) key += `${name}=${constants[name]};`;
  const cached = k.pipelines.get(key);
  if (cached) return cached;
  const device = gpu();
  const made = creating(`the shader ${k.label}`, () => {
    const layout = device.createBindGroupLayout({
      label: k.label,
      entries: k.bindings.map(({ index, layout }) => ({
        binding: index,
        visibility: GPUShaderStage.COMPUTE,
        ...layout,
      })),
    });
    const pipeline = device.createComputePipeline({
      label: k.label,
      layout: device.createPipelineLayout({ bindGroupLayouts: [layout] }),
      compute: {
        module: device.createShaderModule({ label: k.label, code: k.code }),
        entryPoint: k.entryPoint,
        constants,
      },
    });
    return { pipeline, layout, groups: new Map<string, GPUBindGroup>() };
  });
  counters.pipelines++;
  k.pipelines.set(key, made);
  compiled.push(made);
  return made;
}
