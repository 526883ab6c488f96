/// <reference types="@webgpu/types" />
/**
 * A GPU in use: its device, and the state of everything in this folder that works on it.
 *
 * Several may be open. One is current: ops, allocations and reads are for that one.
 *
 * @module
 */
import type { DeviceInfo, Engine } from "./device.ts";
import { GpuError } from "./errors.ts";
import type { Kernel, Pipeline } from "./kernel.ts";
import type { Resource, Scope } from "./memory.ts";
import { Pool } from "./pool.ts";
import type { Rehearsal, Tape } from "./record.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** Bytes that a dispatch's parameters may take: WebGPU's alignment of dynamic offsets. */
export const SLOT = 256;

/** Dispatches in one submit. */
export const SLOTS = 2048;

/** Counts of what has been created on a device and recorded for it. */
export interface Counters {
  /** Buffers of tensors. */
  buffers: number;
  /** Textures of laid-out operands. */
  textures: number;
  /** Of buffers and textures, in use or pooled. */
  bytes: number;
  /** Compiled shaders. */
  pipelines: number;
  /** Kept, so that a step that repeats makes none. */
  bindGroups: number;
  /** Also those that are not submitted yet. */
  dispatches: number;
  /** Floating-point operations of matrix products and convolutions, 2 a multiplication. */
  flop: number;
}

/** Where a device came from. */
export interface Origin {
  /** What is known about it. */
  readonly info: DeviceInfo;
  /** The engine that opened it. */
  readonly engine: Engine;
  /** The choice among the engine's devices. */
  readonly choice: string | undefined;
  /** WebGPU's entry point: Dawn's objects live no longer than it. */
  readonly root: GPU;
}

/** A device with its memory, command stream, pipelines and failures. */
export class Gpu {
  /** Device properties, by which kernels are chosen. */
  info: DeviceInfo;
  /** Bytes from which twins read textures; undefined for the rule of gpu/run.ts. */
  texturesFrom: number | undefined;

  /** Counts so far; those of resources stop growing once a training step repeats. */
  readonly counters: Counters = {
    buffers: 0,
    textures: 0,
    bytes: 0,
    pipelines: 0,
    bindGroups: 0,
    dispatches: 0,
    flop: 0,
  };

  // Of gpu/memory.ts and gpu/read.ts: free buffers by their bytes and textures by their layers, what is
  // taken back together, and buffers that the host can map, by their bytes.
  /** @internal */
  readonly pool: Pool<Resource> = new Pool();
  /** @internal */
  scope: Scope | undefined;
  /** @internal */
  outermost: Scope | undefined;
  /** @internal */
  lastId = 0;
  /** @internal */
  readonly staging: Map<number, GPUBuffer[]> = new Map();

  // Of gpu/kernel.ts: by the values of the `override` constants.
  /** @internal */
  readonly pipelines: Map<Kernel, Map<string, Pipeline>> = new Map();

  /** Workgroups along one dimension of a dispatch, at most; tests, whose tensors are small, have fewer. */
  mostGroups = 65_535;

  // Of gpu/record.ts: what is recorded and not submitted, with the pipeline in force and the parameters of
  // dispatches (on the device: `uniforms`), and observers of dispatches.
  /** @internal */
  encoder: GPUCommandEncoder | undefined;
  /** @internal */
  pass: GPUComputePassEncoder | undefined;
  /** @internal */
  pipeline: GPUComputePipeline | undefined;
  /** @internal */
  slots = 0;
  /** @internal */
  readonly params: DataView<ArrayBuffer> = new DataView(new ArrayBuffer(SLOT * SLOTS));
  /** @internal */
  readonly paramBytes: Uint8Array<ArrayBuffer> = new Uint8Array(this.params.buffer);
  /** @internal */
  uniforms: GPUBuffer | undefined;
  /** @internal */
  stopwatch: Stopwatch | undefined;
  /** @internal */
  tape: Tape | undefined;
  /** @internal */
  rehearsing: Rehearsal | undefined;

  /** Where the device came from. */
  readonly engine: Engine;
  /** Whether shaders are printed, and errors caught at the submit that made them. */
  readonly debug: boolean;
  /** What it was opened by. */
  readonly choice: string | undefined;
  /** WebGPU's entry point: Dawn's objects live no longer than it. */
  readonly root: GPU;

  readonly #actual: DeviceInfo;
  #bindable: number;
  readonly #kept = new Map<new () => unknown, unknown>();
  readonly #pending: Promise<void>[] = [];
  #failure: string | undefined;
  /** A consequence of the failure, reported only if the failure itself is not known. */
  #refused: string | undefined;
  #lost: string | undefined;

  /** Takes a device over. */
  constructor(readonly device: GPUDevice, { info, engine, choice, root }: Origin) {
    this.info = this.#actual = info;
    this.engine = engine;
    this.debug = engine.debug ?? false;
    this.choice = choice;
    this.root = root;
    this.#bindable = info.limits.maxStorageBufferBindingSize;
    device.lost.then(({ reason, message }) => {
      this.#lost = `Device lost (${message || reason}): the driver was reset or ran out of ` +
        `memory: perhaps a smaller --batch helps`;
    });
    device.addEventListener("uncapturederror", (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      this.#refused ??= `The GPU refused a command: ${error.message}`;
      event.preventDefault();
    });
  }

  /** The largest binding in bytes; tests set less, and undefined restores the device's limit. */
  get bindable(): number {
    return this.#bindable;
  }

  set bindable(bytes: number | undefined) {
    this.#bindable = bytes ?? this.#actual.limits.maxStorageBufferBindingSize;
  }

  /** Whether the device is lost, with all its memory. */
  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  /** Makes this the current one. */
  makeCurrent(): void {
    current = this;
  }

  /** Makes this the current one for `body`: for an async one until its first `await`. */
  use<T>(body: () => T): T {
    const outer = current;
    current = this;
    try {
      return body();
    } finally {
      current = outer;
    }
  }

  /** State that other modules keep for this device, created at first use. */
  of<T>(kind: new () => T): T {
    let kept = this.#kept.get(kind) as T | undefined;
    if (kept === undefined) this.#kept.set(kind, kept = new kind());
    return kept;
  }

  /**
   * Describes the device as another one, so that kernels are chosen as for that one; they run on
   * this one. For tests and measurements.
   *
   * @param changes Properties that differ there; undefined restores the device's own.
   */
  describeAs(changes: Partial<DeviceInfo> | undefined): void {
    this.info = changes ? { ...this.#actual, ...changes } : this.#actual;
  }

  /**
   * Creates something on the device and notes the driver's errors.
   *
   * Errors come later, by promise; {@linkcode Gpu.check} throws them.
   *
   * @param explain Adds context to the driver's message.
   */
  creating<T>(what: string, create: () => T, explain = (message: string) => message): T {
    const { device } = this;
    device.pushErrorScope("out-of-memory");
    device.pushErrorScope("validation");
    const made = create();
    const invalid = device.popErrorScope(), full = device.popErrorScope();
    this.#pending.push(
      invalid.then((error) => {
        if (!error) return;
        const message = explain(error.message.replace(/\s+/g, " ").trim());
        this.#failure ??= `${what[0].toUpperCase()}${what.slice(1)} cannot be had: ${message}`;
      }),
      full.then((error) => {
        if (!error) return;
        this.#failure ??= `The GPU has no memory left for ${what}: try a smaller --batch or a ` +
          `narrower network, or close other programs that use the GPU`;
      }),
    );
    return made;
  }

  /** Throws what went wrong on the device since the last call, if anything did, or that it is lost. */
  async check(): Promise<void> {
    if (this.#pending.length) await Promise.all(this.#pending.splice(0));
    this.throwFailure();
  }

  /** Throws what is already known to have gone wrong: a failure once, a lost device each time. */
  throwFailure(): void {
    const message = this.#lost ?? this.#failure ?? this.#refused;
    this.#failure = this.#refused = undefined;
    if (message !== undefined) throw new GpuError(message);
  }
}

let current: Gpu | undefined;

/**
 * The current one.
 *
 * @throws {GpuError} If none is open.
 */
export function gpu(): Gpu {
  if (!current) throw new GpuError("The GPU is not open: await openGpu() first");
  return current;
}

/** The current one, if any is open. */
export function currentGpu(): Gpu | undefined {
  return current;
}
