/**
 * A device whose allocations, pipelines, dispatches, submits and readbacks fail where they are told to, in
 * the way in which WebGPU tells of failures: error scopes, events and rejected promises. Or it is lost.
 *
 * @module
 */
import type { Engine } from "../../gpu/device.ts";
import type { Gpu } from "../../gpu/gpu.ts";
import type { Injector } from "./injector.ts";

/** An engine whose devices fail as the injector says. */
export function faulty(engine: Engine, injector: Injector): Engine {
  const start = async () => {
    const root = await engine.start();
    if (!root) return undefined;
    const requestAdapter = async (options?: GPURequestAdapterOptions) => {
      const adapter = await root.requestAdapter(options);
      if (!adapter) return null;
      const { info, features, limits } = adapter;
      const requestDevice = async (wanted?: GPUDeviceDescriptor) =>
        patched(await adapter.requestDevice(wanted), injector);
      return { info, features, limits, requestDevice } as unknown as GPUAdapter;
    };
    return { requestAdapter } as GPU;
  };
  const { name, enablesSubgroups, help } = engine;
  return { name, enablesSubgroups, help, start };
}

type Scope = { readonly filter: string; failed?: string };

type Device = Gpu["device"];

function patched(device: Device, injector: Injector): Device {
  const scopes: Scope[] = [];
  const fail = (filter: GPUErrorFilter, message: string) => {
    const scope = scopes.findLast((scope) => scope.filter === filter);
    if (scope) scope.failed ??= message;
    else {
      const error = { message };
      device.dispatchEvent(Object.assign(new Event("uncapturederror"), { error }));
    }
  };
  const push = device.pushErrorScope.bind(device), pop = device.popErrorScope.bind(device);
  const buffer = device.createBuffer.bind(device), texture = device.createTexture.bind(device);
  const pipeline = device.createComputePipeline.bind(device);
  const encoder = device.createCommandEncoder.bind(device), { queue } = device;
  const submit = queue.submit.bind(queue), write = queue.writeBuffer.bind(queue);
  device.pushErrorScope = (filter) => {
    scopes.push({ filter });
    return push(filter);
  };
  device.popErrorScope = async () => {
    const failed = scopes.pop()?.failed, error = await pop();
    return failed === undefined ? error : { message: failed } as GPUError;
  };
  device.createBuffer = (wanted) => {
    const made = buffer(wanted);
    if (injector.fails("allocation", wanted.label)) {
      fail("out-of-memory", "no memory is left");
      made.destroy();
    }
    if (wanted.usage & GPUBufferUsage.MAP_READ) {
      const map = made.mapAsync.bind(made);
      made.mapAsync = (...how) =>
        injector.fails("readback")
          ? Promise.reject(new DOMException("the buffer cannot be mapped", "OperationError"))
          : map(...how);
    }
    return made;
  };
  device.createTexture = (wanted) => {
    if (injector.fails("allocation", "texture")) fail("out-of-memory", "no memory is left");
    return texture(wanted);
  };
  device.createComputePipeline = (wanted) => {
    const { compute } = wanted, missing = injector.fails("pipeline", wanted.label);
    return pipeline(missing ? { ...wanted, compute: { ...compute, entryPoint: "none" } } : wanted);
  };
  device.createCommandEncoder = (wanted) => {
    const made = encoder(wanted), begin = made.beginComputePass.bind(made);
    made.beginComputePass = (how) => {
      const pass = begin(how), dispatch = pass.dispatchWorkgroups.bind(pass);
      pass.dispatchWorkgroups = (...groups) => {
        if (injector.fails("dispatch")) fail("validation", "the dispatch is not valid");
        else dispatch(...groups);
      };
      return pass;
    };
    return made;
  };
  queue.submit = (commands) => {
    if (injector.fails("loss")) device.destroy();
    if (injector.fails("submit")) fail("validation", "the commands are not valid");
    else submit(commands);
  };
  queue.writeBuffer = (...given: Parameters<typeof write>) => {
    if (injector.fails("upload")) fail("validation", "the upload is not valid");
    else write(...given);
  };
  return device;
}
