import type { DeviceInfo } from "../gpu/device.ts";
import { GpuError } from "../gpu/errors.ts";
import { gpu } from "../gpu/gpu.ts";
import { idle } from "../gpu/record.ts";
import { conv2d } from "../kernels/conv2d.ts";
import { assertHalves } from "../kernels/half_check.ts";
import { matmul } from "../kernels/matmul.ts";
import { normal } from "../kernels/random.ts";
import { noGrad } from "../tensor/op.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import { UsageError } from "./errors.ts";
import { common, optionLines, parse } from "./options.ts";
import { listDevices, openGpu } from "../gpu/engines/deno.ts";

const help = [
  "Tells what devices there are, whether they compute rightly, and how fast.",
  "",
  "  gan doctor",
  "",
  ...optionLines(common),
].join("\n");

const FEATURES = {
  "timestamp-query": "times single kernels (deno task bench --profile)",
  "shader-f16": "half precision (gan train --precision f16)",
  "subgroups": "lanes that share what they load (on software devices)",
};

/** Whose driver it is, by the number that WebGPU gives as the vendor. */
const VENDORS: Readonly<Record<string, string>> = {
  "4098": "AMD",
  "4203": "Apple",
  "4318": "NVIDIA",
  "5045": "ARM",
  "5140": "Microsoft",
  "20803": "Qualcomm",
  "32902": "Intel",
  "65541": "Mesa",
};

/** One job of the self-check. */
interface Check {
  readonly job: string;
  /** The largest difference from float64, over sampled outputs, in units of the tolerance. */
  readonly error: number;
  readonly gflops: number;
}

/** What {@linkcode doctor} is asked. */
export interface DoctorOptions {
  /** An index or a part of a device's name; by default the fastest. */
  readonly device?: string;
  /** One JSON object instead of lines. */
  readonly json: boolean;
  readonly print: (line: string) => void;
}

/** `gan doctor`. Returns the exit code: 0 if the device computes rightly. */
export async function doctorCommand(
  args: string[],
  print: (line: string) => void,
): Promise<number> {
  const { values, rest } = parse(args, common);
  if (values.help) {
    print(help);
    return 0;
  }
  if (rest.length) throw new UsageError(`gan doctor takes options only, not ${rest.join(" ")}`);
  const { device } = values;
  return await doctor({
    ...(device !== undefined && { device: String(device) }),
    json: values.json === true,
    print,
  });
}

/** Tells what devices there are, and checks the chosen one. Returns 0 if it computes rightly, else 1. */
export async function doctor({ device: choice, json, print }: DoctorOptions): Promise<number> {
  const devices = await listDevices(), checks: Check[] = [];
  let device: DeviceInfo | undefined, problem: string | undefined;
  try {
    ({ info: device } = await openGpu({ choice }));
    for (const check of [checkMatmul, checkConvolution]) checks.push(await check());
    if (device.features.includes("shader-f16")) await assertHalves();
    const wrong = checks.find(({ error }) => !(error <= 1));
    if (wrong) problem = `${wrong.job} is wrong on this device: update its driver`;
  } catch (error) {
    if (!(error instanceof GpuError)) throw error;
    problem = error.message;
  }
  if (json) {
    const system = { deno: Deno.version.deno, os: `${Deno.build.os} ${Deno.build.arch}` };
    print(JSON.stringify({ ...system, devices, device, checks, ok: !problem, problem }));
  } else {
    for (const line of report(devices, device, checks)) print(line);
    print(problem ?? "All is well: gan train dcgan");
  }
  return problem ? 1 : 0;
}

function report(devices: DeviceInfo[], device: DeviceInfo | undefined, checks: Check[]): string[] {
  const lines = [`Deno ${Deno.version.deno} on ${Deno.build.os} ${Deno.build.arch}`];
  devices.forEach(({ name, software, vendor, architecture }, i) => {
    const kind = software ? "software, on the processor" : "GPU";
    const maker = [VENDORS[vendor] ?? vendor, architecture].filter(Boolean).join(" ");
    const chosen = name === device?.name ? " <- in use" : "";
    lines.push(`device ${i}: ${name}, ${maker ? `${maker}, ` : ""}${kind}${chosen}`);
  });
  if (!device) return lines;
  for (const [feature, use] of Object.entries(FEATURES)) {
    lines.push(`  ${device.features.includes(feature) ? "has  " : "lacks"} ${feature}: ${use}`);
  }
  const mib = (limit: string) => `${Math.floor(device.limits[limit] / 2 ** 20)} MiB`;
  lines.push(
    `  buffers to ${mib("maxBufferSize")}, of which ${
      mib("maxStorageBufferBindingSize")
    } can be bound; ` +
      `textures to ${device.limits.maxTextureDimension2D} a side`,
  );
  for (const { job, error, gflops } of checks) {
    lines.push(`  ${job}: ${error <= 1 ? "right" : "WRONG"}, ${gflops.toFixed(1)} GFLOP/s`);
  }
  if (device.software) {
    lines.push(
      "  This is no GPU. If the machine has one, install its maker's Vulkan driver: it is far faster.",
    );
  }
  return lines;
}

async function checkMatmul(): Promise<Check> {
  const n = 512, a = draw([n, n], 1), b = draw([n, n], 2);
  const { y, gflops } = await measure(() => matmul(a, b));
  const [A, B, Y] = await Promise.all([a.read(), b.read(), y.read()]);
  let error = 0;
  for (let s = 0; s < 500; s++) {
    const i = (s * 37) % n, j = (s * 101 + 5) % n;
    let t = 0;
    for (let k = 0; k < n; k++) t += A[i * n + k] * B[k * n + j];
    error = worse(error, Math.abs(Y[i * n + j] - t) / 1e-2);
  }
  return { job: "matrix product 512^3", error, gflops };
}

async function checkConvolution(): Promise<Check> {
  const [N, S, C, O] = [16, 32, 64, 128], x = draw([N, S, S, C], 3), w = draw([3, 3, C, O], 4);
  const { y, gflops } = await measure(() => conv2d(x, w, { stride: 1, padding: 1 }));
  const [X, W, Y] = await Promise.all([x.read(), w.read(), y.read()]);
  let error = 0;
  for (let s = 0; s < 500; s++) {
    const at = (s * 7_368_787 + 12_289) % Y.length, o = at % O, v = Math.floor(at / O) % S;
    const h = Math.floor(at / (O * S)) % S, n = Math.floor(at / (O * S * S));
    let t = 0;
    for (let i = 0; i < 3; i++) {
      for (let j = 0; j < 3; j++) {
        const [p, q] = [h + i - 1, v + j - 1];
        if (p < 0 || q < 0 || p >= S || q >= S) continue;
        for (let c = 0; c < C; c++) {
          t += X[((n * S + p) * S + q) * C + c] * W[((i * 3 + j) * C + c) * O + o];
        }
      }
    }
    error = worse(error, Math.abs(Y[at] - t) / 1e-2);
  }
  return { job: "convolution 3x3", error, gflops };
}

/** The larger of the two; NaN is the worst. */
function worse(a: number, b: number): number {
  return b <= a ? a : b;
}

function draw(shape: number[], stream: number): Tensor {
  return normal(shape, { seed: 0, stream, counter: 0 });
}

/** Runs a job for a second, many times a wait, and keeps the best rate. */
async function measure(job: () => Tensor): Promise<{ y: Tensor; gflops: number }> {
  const y = noGrad(() => scoped(job));
  await idle();
  let gflops = 0, repeat = 1;
  for (const end = performance.now() + 1000; performance.now() < end;) {
    const start = performance.now(), flop = gpu().counters.flop;
    for (let i = 0; i < repeat; i++) noGrad(() => scoped(() => void job()));
    await idle();
    const ms = performance.now() - start;
    gflops = Math.max(gflops, (gpu().counters.flop - flop) / ms / 1e6);
    if (ms < 150) repeat *= 2; // a wait takes 10 ms by itself
  }
  return { y, gflops };
}
