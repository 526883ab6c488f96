/**
 * Times how another checkout and this one list and prepare a data set, in turn, and prints medians.
 *
 *     git worktree add ../before 2bf4ebb
 *     deno run -A bench/data.ts ../before --data celeba-10k.zip --resolution 64
 *
 * Each time is that of a process of its own, which lists the images, or opens them with an empty cache,
 * or with a finished one. Memory is the process's peak (Linux). `--data` may be given several times; an
 * older checkout that cannot read one fails there, and that is said.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import { resolve } from "@std/path";
import { parseArgs } from "@std/cli/parse-args";

const HELP = `bench/data.ts FOLDER --data PATH [--data PATH] [--resolution 64] [--rounds 3] [--list]

FOLDER is another checkout; a ratio above 1 says that this one is faster. --list leaves out preparing.`;

/** What one process measured. */
interface Timed {
  count: number;
  /** Seconds. */
  list: number;
  prepare?: number;
  cached?: number;
  /** Bytes. */
  peak: number;
}

const WORKER = `
import { openPath } from "OPEN";
import { openDataset } from "DATASET";
const [data, resolution, cache, kind] = Deno.args;
let start = performance.now();
const lap = () => {
  const seconds = (performance.now() - start) / 1000;
  start = performance.now();
  return seconds;
};
const source = await openPath(data), timed = { count: source.names.length, list: lap() };
await source.close();
if (kind !== "list") {
  start = performance.now();
  await openDataset({ data, resolution: Number(resolution), cache });
  timed.prepare = lap();
  await openDataset({ data, resolution: Number(resolution), cache });
  timed.cached = lap();
}
const status = await Deno.readTextFile("/proc/self/status").catch(() => "");
timed.peak = 1024 * Number(/VmHWM:\\s*(\\d+)/.exec(status)?.[1] ?? NaN);
console.log(JSON.stringify(timed));
Deno.exit();
`;

async function time(root: string, data: string, resolution: string, kind: string): Promise<Timed> {
  const cache = await Deno.makeTempDir();
  try {
    const script = `${cache}/worker.js`, url = pathToFileURL(`${root}/`).href;
    const isOlder = await Deno.stat(`${root}/data/open.ts`).then(() => false, () => true);
    const renamed = await Deno.stat(`${root}/data/dataset.ts`).then(() => true, () => false);
    const dataset = renamed ? "dataset.ts" : "pictures.ts", opening = isOlder ? dataset : "open.ts";
    await Deno.writeTextFile(
      script,
      // Imported statically: see findings/deno-dynamic-import-over-npm-wasm.sh.
      WORKER.replace("OPEN", `${url}data/${opening}`).replace("DATASET", `${url}data/${dataset}`)
        .replaceAll("openDataset", renamed ? "openDataset" : "openPictures"),
    );
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-check", "--config", `${root}/deno.json`, script, data].concat(
        resolution,
        cache,
        kind,
      ),
    }).output();
    const text = new TextDecoder();
    if (code !== 0) throw new Error(text.decode(stderr).trim().split("\n")[0]);
    return JSON.parse(text.decode(stdout).trim().split("\n").at(-1)!);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

/** The medians of a checkout's rounds. */
function medians(rounds: Timed[]): Record<string, number> {
  const names = Object.keys(rounds[0]) as (keyof Timed)[];
  return Object.fromEntries(names.map((name) => [name, median(rounds.map((one) => one[name]!))]));
}

async function compare(roots: string[], data: string, args: { rounds: string; how: string[] }) {
  const found: (Timed[] | string)[] = roots.map(() => []);
  for (let round = 0; round < Number(args.rounds); round++) {
    for (const i of round % 2 ? [1, 0] : [0, 1]) {
      const list = found[i];
      if (typeof list === "string") continue;
      try {
        list.push(await time(roots[i], data, args.how[0], args.how[1]));
      } catch (error) {
        found[i] = (error as Error).message;
      }
    }
  }
  const [before, now] = found.map((list) => typeof list === "string" ? list : medians(list));
  if (typeof now === "string") throw new Error(now);
  const older = typeof before === "string" ? undefined : before;
  console.log(`${data}: ${now.count} images${older ? "" : `; before: ${before}`}`);
  for (const [name, value] of Object.entries(now)) {
    if (name === "count") continue;
    const scale = name === "peak" ? 1e6 : 1, unit = name === "peak" ? "MB" : "s";
    const then = older && `${(older[name] / scale).toFixed(3)} ${unit} before, `;
    const ratio = older ? `, ratio ${(older[name] / value).toFixed(2)}` : "";
    console.log(`  ${name.padEnd(8)} ${then ?? ""}${(value / scale).toFixed(3)} ${unit}${ratio}`);
  }
}

async function main(words: string[]): Promise<number> {
  const args = parseArgs(words, {
    string: ["data", "resolution", "rounds"],
    boolean: ["help", "list"],
    default: { resolution: "64", rounds: "3" },
  });
  const [folder] = args._, paths = [args.data ?? []].flat();
  if (args.help || folder === undefined || paths.length === 0) {
    console.log(HELP);
    return args.help ? 0 : 2;
  }
  const roots = [resolve(String(folder)), resolve(import.meta.dirname!, "..")];
  const how = [String(args.resolution), args.list ? "list" : "all"];
  for (const path of paths) {
    await compare(roots, resolve(String(path)), { rounds: String(args.rounds), how });
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
