/**
 * Machine code with vectors of 256 bits, for a device of Mesa's whose vectors have 512.
 *
 * With AVX-512 and Mesa 22.3 products take 0.75 times as long with 512 bits as with 256, and what reads and
 * writes buffers takes three times as long: the driver gathers by one instruction for 8 lanes, and not for
 * 16. Its cache on disk does not tell the widths apart. So a process with 256 bits compiles into a cache
 * of its own, and its files are copied to the common one.
 *
 * @module
 */
import { dispatchEmpty, type Emptied } from "../ahead.ts";
import { makePipeline, type Parts } from "../kernel.ts";
import { passes, type SelfTest } from "../self_check.ts";
import { CODE_FOLDER } from "./helper.ts";
import { VARIABLE } from "./vectors.ts";

const PATIENCE = 120_000; // milliseconds

/** What a process is to compile, for a device with such features and limits. */
export interface Order {
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  readonly kernels: readonly (Emptied & { readonly parts: Parts })[];
  /** Is run, too. */
  readonly test?: SelfTest;
}

/** Vectors of so many bits, and the folder of the machine code. */
interface Place {
  readonly deno: string;
  readonly bits: 256 | 512;
  readonly folder: string;
}

/** Whether a process compiles all that, and computes the test rightly. */
export async function compilesIn({ deno, bits, folder }: Place, order: Order): Promise<boolean> {
  const code = `const passes = ${passes}, makePipeline = ${makePipeline};
const dispatchEmpty = ${dispatchEmpty};
const { features, limits, kernels, test } = await new Response(Deno.stdin.readable).json();
const adapter = await navigator.gpu.requestAdapter({ forceFallbackAdapter: true });
const device = await adapter.requestDevice({ requiredFeatures: features, requiredLimits: limits });
const filesIn = (folder) => [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) =>
  isDirectory ? filesIn(folder + "/" + name) : [name]);
device.pushErrorScope("validation");
for (const one of kernels) dispatchEmpty(device, makePipeline(device, one.parts), one);
await device.queue.onSubmittedWorkDone();
const fault = await device.popErrorScope();
const right = !fault && (!test || await passes(device, test));
// A thread of the driver writes the files.
for (let before = -1, now = 0; before !== now; before = now) {
  await new Promise((resolve) => setTimeout(resolve, 100));
  now = filesIn(Deno.env.get("MESA_SHADER_CACHE_DIR")).length;
}
console.log(right ? "right" : "wrong");
Deno.exit();`;
  const signal = AbortSignal.timeout(PATIENCE);
  const child = new Deno.Command(deno, {
    args: ["eval", "--no-config", "--no-lock", code],
    env: { [VARIABLE]: String(bits), MESA_SHADER_CACHE_DIR: folder },
    stdin: "piped",
    stdout: "piped",
    stderr: "null",
    signal,
  }).spawn();
  await new Blob([JSON.stringify(order)]).stream().pipeTo(child.stdin);
  const { success, stdout } = await child.output();
  signal.throwIfAborted(); // that tells nothing of the driver
  return success && new TextDecoder().decode(stdout).trim() === "right";
}

/**
 * Compiles with 256 bits, also what the cache of a folder holds already.
 *
 * @returns Whether all is compiled and where it belongs, and the test right.
 */
export async function compileNarrow(
  { deno, folder }: Omit<Place, "bits">,
  order: Order,
): Promise<boolean> {
  const own = await Deno.makeTempDir();
  try {
    if (!await compilesIn({ deno, bits: 256, folder: own }, order)) return false;
    const from = `${own}/${CODE_FOLDER}`, to = `${folder}/${CODE_FOLDER}`;
    // Newer versions of Mesa keep one file.
    if (!await Deno.stat(from).then(() => true, () => false)) return false;
    for (const { name, isDirectory } of Deno.readDirSync(from)) {
      if (!isDirectory) continue;
      Deno.mkdirSync(`${to}/${name}`, { recursive: true });
      for (const { name: file } of Deno.readDirSync(`${from}/${name}`)) {
        const place = `${to}/${name}/${file}`;
        Deno.copyFileSync(`${from}/${name}/${file}`, `${place}.tmp`); // as Mesa names what it writes
        Deno.renameSync(`${place}.tmp`, place);
      }
    }
    return true;
  } finally {
    await Deno.remove(own, { recursive: true });
  }
}
