/**
 * How wide lavapipe's vectors are to be, tried in a process of its own: on some versions of Mesa opening
 * a device with 512 bits ends the process, on others textures are then read wrongly. From 25.0 on products
 * take twice as long with 512 bits as with 256, and compile as slowly; on 22.3 they take 0.75 times as long.
 *
 * @module
 */
import { cpus } from "node:os";
import { runsLongLoops } from "../long_loop.ts";
import { passes } from "../self_check.ts";
import { readsTextures } from "../wide_vectors.ts";

/** The variable by which lavapipe is told. */
export const VARIABLE = "LP_NATIVE_VECTOR_WIDTH";

/** Where Linux lists drivers. */
export const MANIFESTS = [
  "/usr/share/vulkan/icd.d",
  "/etc/vulkan/icd.d",
  "/usr/local/share/vulkan/icd.d",
];
const NAMING = ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"];
/** Of processors with vectors of 512 bits that lavapipe can use. */
const FEATURES = ["avx512f", "avx512bw", "avx512dq", "avx512vl"];
const PATIENCE = 60_000; // milliseconds

/** What came of a trial, of which driver. */
interface Verdict {
  readonly driver: string;
  readonly width: string;
}

/** Where verdicts are kept, and how the trial is run. */
export interface Trial {
  /** A file; undefined to try each time. */
  readonly file: string | undefined;
  /** The program that tries: Deno's. */
  readonly deno: string;
}

/** Chooses the width on Linux, unless the user has. */
export async function chooseVectors(): Promise<void> {
  if (Deno.env.get(VARIABLE) || Deno.build.os !== "linux") return;
  const home = Deno.env.get("XDG_CACHE_HOME") || Deno.env.get("HOME")?.concat("/.cache");
  const file = home && `${home}/webgan/vectors.json`;
  Deno.env.set(VARIABLE, await widthFor({ file, deno: denoProgram() }));
}

/** Deno, as a program that can be run. */
export function denoProgram(): string {
  return Deno.build.standalone ? "deno" : Deno.execPath();
}

/** 512 where that works and pays, else 256, which is Mesa's default. */
export async function widthFor({ file, deno }: Trial): Promise<string> {
  const driver = await driverOf();
  if (file) {
    const known = await Deno.readTextFile(file).then(JSON.parse).catch(() => undefined) as
      | Verdict
      | undefined;
    if (known?.driver === driver) return known.width;
  }
  const pays = await tried(deno);
  const width = pays ? "512" : "256";
  if (file && pays !== undefined) {
    const verdict: Verdict = { driver, width };
    await Deno.mkdir(file.replace(/\/[^/]*$/, ""), { recursive: true })
      .then(() => Deno.writeTextFile(file, JSON.stringify(verdict)))
      .catch(() => {}); // then it is tried again
  }
  return width;
}

/**
 * Whether wide vectors pay: the processor has them, and a process with them computes rightly, with the
 * older compiler. Undefined if that was not found out.
 */
async function tried(deno: string): Promise<boolean | undefined> {
  const tests = JSON.stringify([readsTextures(), runsLongLoops()]);
  // The process is asked for the processor's features, too: only with all permissions can they be read.
  const code = `const flags = Deno.readTextFileSync("/proc/cpuinfo");
if (!${JSON.stringify(FEATURES)}.every((name) => flags.includes(name))) Deno.exit();
const passes = ${passes};
const adapter = await navigator.gpu.requestAdapter({ forceFallbackAdapter: true });
const device = await adapter?.requestDevice(), [product, loop] = ${tests};
console.log(device && await passes(device, product) && !await passes(device, loop) ? "pays" : "no");
Deno.exit();`;
  const signal = AbortSignal.timeout(PATIENCE);
  try {
    const child = new Deno.Command(deno, {
      args: ["eval", "--no-config", "--no-lock", code],
      env: { [VARIABLE]: "512" },
      stdin: "null",
      signal,
    });
    const { success, stdout } = await child.output();
    if (signal.aborted) return undefined;
    return success && new TextDecoder().decode(stdout).trim() === "pays";
  } catch {
    return undefined;
  }
}

/** Changes whenever another driver is installed or named, or the processor is another. */
export async function driverOf(): Promise<string> {
  const parts = [
    cpus()[0]?.model,
    ...NAMING.map((name) => `${name}=${Deno.env.get(name) ?? ""}`),
  ];
  for (const folder of MANIFESTS) {
    const entries = await Array.fromAsync(Deno.readDir(folder)).catch(() => []);
    for (const name of entries.map(({ name }) => name).sort()) {
      const { mtime } = await Deno.stat(`${folder}/${name}`);
      parts.push(`${folder}/${name} ${mtime?.getTime()}`);
    }
  }
  return parts.join("; ");
}
