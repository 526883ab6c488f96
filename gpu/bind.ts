/**
 * Bind groups.
 *
 * @module
 */
import { type Gpu, SLOT, SLOTS } from "./gpu.ts";
import type { Kernel, Pipeline } from "./kernel.ts";
import { assertOn, type Resource, Storage, tooLarge } from "./memory.ts";

/** What can be bound: a resource, or a tensor. */
export type Bindable = Resource | { readonly storage: Resource; readonly shape: readonly number[] };

/** A resource for each binding, by its name in the WGSL. */
export type Bound = Readonly<Record<string, Bindable>>;

/** The resource that is bound. */
export function resourceOf(bindable: Bindable): Resource {
  return "storage" in bindable ? bindable.storage : bindable;
}

/**
 * Refuses buffers that exceed a binding; textures have limits of their own.
 *
 * @throws {TooLargeError} If one does.
 */
export function assertBindable(g: Gpu, k: Kernel, bound: Bound): void {
  for (const name in bound) {
    const given = bound[name], resource = resourceOf(given);
    if (!(resource instanceof Storage) || resource.size <= g.bindable) continue;
    const [kernel] = k.label.split(/[ /]/), shape = "shape" in given ? ` [${given.shape}]` : "";
    throw tooLarge(g, `${kernel}: ${name}${shape}`, resource.size, g.bindable);
  }
}

/**
 * The bind group of a kernel's resources; cached, so that a repeated step makes none.
 *
 * @throws {TypeError} If a binding is missing or unknown, or a resource was taken back.
 * @throws {GpuError} If a resource is on another device.
 */
export function bindGroup(g: Gpu, k: Kernel, pipeline: Pipeline, bound: Bound): GPUBindGroup {
  let key = "", named = 0;
  const resources: (Resource | undefined)[] = [];
  for (const { name, layout } of k.bindings) {
    if (layout.buffer?.type === "uniform") {
      resources.push(undefined);
      continue;
    }
    const given = bound[name];
    if (!given) throw new TypeError(`${k.label}: binding ${name} is missing`);
    const resource = resourceOf(given);
    if (!resource.live) {
      throw new TypeError(`${k.label}: ${name} was taken back by the scope that it was made in`);
    }
    assertOn(g, resource);
    if (layout.buffer?.type === "storage") (resource as Storage).version++;
    named++;
    key += `${resource.id},`;
    resources.push(resource);
  }
  if (named !== Object.keys(bound).length) {
    const known = new Set(k.bindings.map(({ name }) => name));
    const extra = Object.keys(bound).filter((name) => !known.has(name));
    throw new TypeError(`${k.label}: there is no binding ${extra.join(", ")}`);
  }
  const cached = pipeline.groups.get(key);
  if (cached) return cached;
  assertApart(k, resources);
  const group = g.device.createBindGroup({
    label: k.label,
    layout: pipeline.layout,
    entries: k.bindings.map(({ index }, i) => ({
      binding: index,
      resource: entry(g, resources[i]),
    })),
  });
  g.counters.bindGroups++;
  pipeline.groups.set(key, group);
  return group;
}

/** Refuses two written bindings that overlap, as WebGPU does and Deno does not. */
function assertApart(k: Kernel, resources: readonly (Resource | undefined)[]): void {
  const written = k.bindings.flatMap(({ name, layout }, i) => {
    const resource = resources[i];
    return layout.buffer?.type === "storage" && resource instanceof Storage
      ? [{ name, resource }]
      : [];
  });
  for (const [i, { name, resource: a }] of written.entries()) {
    const other = written.slice(0, i).find(({ resource: b }) =>
      a.buffer === b.buffer && a.offset < b.offset + b.size && b.offset < a.offset + a.size
    );
    if (other) throw new TypeError(`${k.label}: ${other.name} and ${name} are the same buffer`);
  }
}

function entry(g: Gpu, resource: Resource | undefined): GPUBindingResource {
  if (resource === undefined) return { buffer: uniforms(g), size: SLOT };
  if (resource instanceof Storage) {
    return { buffer: resource.buffer, offset: resource.offset, size: resource.size };
  }
  return resource.view;
}

/** The uniform buffer of all dispatches' parameters. */
export function uniforms(g: Gpu): GPUBuffer {
  return g.uniforms ??= g.device.createBuffer({
    label: "params",
    size: SLOT * SLOTS,
    usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
  });
}
