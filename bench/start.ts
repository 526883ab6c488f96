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
import { parseArgs } from "@std/cli/parse-args";

const HELP = `bench/start.ts FOLDER [--rounds 3] [--system dcgan]

FOLDER is another checkout. Below 1 a ratio says that this one is faster.`;

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
async function round(root: string, system: string): Promise<Record<string, Took>> {
  const folder = await Deno.makeTempDir(), mesa = join(folder, "mesa"), out = join(folder, "runs");
  const train = ["train", system, "--json", "--out", out], loss = /"real"/;
  const sample = ["sample", "latest", "--json", "--out", out], grid = /"path"/;
  const made: Record<string, Took> = {};
  try {
    made["first loss, cold"] = await until(loss, root, mesa, train);
    made["first loss, warm"] = await until(loss, root, mesa, train);
    await done(root, mesa, [...train, "--kimg", "0.1"]);
    made["first grid, cold"] = await until(grid, root, join(folder, "other"), sample);
    made["first grid, warm"] = await until(grid, root, join(folder, "other"), sample);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return made;
}

const median = (values: readonly number[]) =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function compared(all: readonly Took[][], what: keyof Took): string {
  const [theirs, ours] = all.map((some) => median(some.map((took) => took[what])));
  return `${theirs.toFixed(1)} -> ${ours.toFixed(1)} s, ratio ${(ours / theirs).toFixed(2)}`;
}

async function main(words: string[]): Promise<number> {
  const args = parseArgs(words, {
    string: ["rounds", "system"],
    boolean: ["help"],
    default: { rounds: "3", system: "dcgan" },
  });
  const [folder] = args._;
  if (args.help || folder === undefined) {
    console.log(HELP);
    return args.help ? 0 : 2;
  }
  const roots = [resolve(String(folder)), resolve(import.meta.dirname!, "..")];
  for (const root of roots) await done(root, "", ["--help"]);
  const rounds: Record<string, Took>[][] = [[], []];
  for (let i = 0; i < Number(args.rounds); i++) {
    for (const which of i % 2 ? [1, 0] : [0, 1]) {
      rounds[which].push(await round(roots[which], String(args.system)));
    }
  }
  for (const what of Object.keys(rounds[0][0])) {
    const all = rounds.map((some) => some.map((made) => made[what]));
    console.log(`${what}: ${compared(all, "wall")}; CPU ${compared(all, "cpu")}`);
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
