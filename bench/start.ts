/**
 * How long the first loss of `gan train` and the first grid of `gan sample` take by this checkout and by
 * another one, in turn:
 *
 *     git worktree add ../before main~20
 *     deno run -A bench/start.ts ../before --rounds 3
 *
 * Cold: with an empty shader cache of Mesa and an empty folder of runs, so that images are decoded, too.
 * Warm: the same again with both as they were left. Deno's own caches are filled before. CPU time, of all
 * threads, depends less on what else the machine does.
 *
 * @module
 */
import { join, resolve } from "@std/path";
import { savePng } from "../data/png.ts";
import { parseArgs } from "@std/cli/parse-args";

const IMAGES = 1000;
const HELP = `bench/start.ts FOLDER [--rounds 3] [-- dcgan]

FOLDER is another checkout; after -- stands what gan train is given, by default dcgan and a folder of
${IMAGES} small images. Below 1 a ratio says that this one is faster.`;

/** Seconds by the clock, and of all cores. */
interface Took {
  readonly wall: number;
  readonly cpu: number;
}

function start(root: string, mesa: string, args: readonly string[]): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--config",
      join(root, "deno.json"),
      join(root, "main.ts"),
      ...args,
    ],
    env: { MESA_SHADER_CACHE_DIR: mesa, DENO_WEBGPU_BACKEND: "vulkan,metal,dx12" },
    stdout: "piped",
    stderr: "null",
  }).spawn();
}

/** CPU seconds of a living process, by Linux. */
function cpuOf(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

/** Time until a line of the output matches; then the process is ended. */
async function until(pattern: RegExp, root: string, mesa: string, args: string[]): Promise<Took> {
  const begin = performance.now(), process = start(root, mesa, args);
  let text = "";
  for await (const part of process.stdout.pipeThrough(new TextDecoderStream())) {
    text += part;
    if (!pattern.test(text)) continue;
    const took = { wall: (performance.now() - begin) / 1000, cpu: cpuOf(process.pid) };
    process.kill("SIGKILL");
    await process.status;
    return took;
  }
  throw new Error(`${root}: ${args.join(" ")} ended before its output matched ${pattern}: ${text}`);
}

async function done(root: string, mesa: string, args: string[]): Promise<void> {
  const { code } = await start(root, mesa, args).output();
  if (code !== 0) throw new Error(`${root}: ${args.join(" ")} ended with ${code}`);
}

/** One round of a checkout, by the names of what is timed. */
async function round(root: string, given: readonly string[]): Promise<Record<string, Took>> {
  const folder = await Deno.makeTempDir(), mesa = join(folder, "mesa"), out = join(folder, "runs");
  const train = ["train", ...given, "--json", "--out", out], loss = /"real"/;
  const sample = ["sample", "latest", "--json", "--out", out], grid = /"path"/;
  const made: Record<string, Took> = {};
  try {
    made["first loss, cold"] = await until(loss, root, mesa, train);
    made["first loss, warm"] = await until(loss, root, mesa, train);
    await done(root, mesa, [...train, "--kimg", "0.1"]); // which sample takes
    made["first grid, cold"] = await until(grid, root, join(folder, "other"), sample);
    made["first grid, warm"] = await until(grid, root, join(folder, "other"), sample);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return made;
}

/** Fills a folder with images, each of its own colours. */
async function images(folder: string): Promise<string> {
  const side = 64, rgb = new Uint8Array(side * side * 3);
  for (let n = 0; n < IMAGES; n++) {
    for (let i = 0; i < rgb.length; i++) rgb[i] = (i * (n % 7 + 1) + n * 31) >> (n % 3);
    await savePng(join(folder, `${n}.png`), { width: side, height: side, rgb });
  }
  return folder;
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function compared(all: readonly Took[][], what: keyof Took): string {
  const [theirs, ours] = all.map((some) => median(some.map((took) => took[what])));
  return `${theirs.toFixed(1)} -> ${ours.toFixed(1)} s, ratio ${(ours / theirs).toFixed(2)}`;
}

async function main(words: string[]): Promise<number> {
  const args = parseArgs(words, {
    string: ["rounds"],
    boolean: ["help"],
    default: { rounds: "3" },
  });
  const [folder, ...given] = args._.map(String);
  if (args.help || folder === undefined) {
    console.log(HELP);
    return args.help ? 0 : 2;
  }
  const data = await Deno.makeTempDir();
  if (given.length === 0) given.push("dcgan", "--data", await images(data)); // as defaults may differ
  const roots = [resolve(folder), resolve(import.meta.dirname!, "..")];
  for (const root of roots) await done(root, "", ["--help"]);
  const rounds: Record<string, Took>[][] = [[], []];
  for (let i = 0; i < Number(args.rounds); i++) {
    for (const which of i % 2 ? [1, 0] : [0, 1]) {
      rounds[which].push(await round(roots[which], given));
    }
  }
  for (const what of Object.keys(rounds[0][0])) {
    const all = rounds.map((some) => some.map((made) => made[what]));
    console.log(`${what}: ${compared(all, "wall")}; CPU ${compared(all, "cpu")}`);
  }
  await Deno.remove(data, { recursive: true });
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
