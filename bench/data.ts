/**
 * Times how another checkout and this one list and prepare data sets, in turn, and prints medians.
 *
 *     git worktree add ../before 2bf4ebb
 *     python3 bench/containers.py celeba-10k.zip forms 20
 *     deno run -A bench/data.ts ../before --python python3 --data celeba-10k.zip \
 *       --data forms/images --data forms/lmdb --data forms/images.parquet
 *     deno run -A bench/data.ts ../before --data forms/many.zip --rounds 1
 *
 * Each time is that of a process of its own, which lists the images, or opens them with an empty cache,
 * or with a finished one. Memory is the process's peak when the last image is prepared, and at its end
 * (Linux). `--data` may be given several times: the times of the others are also compared with those of
 * a folder among them. An older checkout that cannot read one fails there, and that is said. A Python
 * with Pillow prepares zips and folders, too, with two processes (`bench/pillow.py`); its processor time counts its start, too.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import { resolve } from "@std/path";
import { parseArgs } from "@std/cli/parse-args";

const HELP =
  `bench/data.ts FOLDER --data PATH [--data PATH] [--resolution 64] [--rounds 3] [--list] [--python PATH]

FOLDER is another checkout; a ratio above 1 says that this one is faster. --list leaves out preparing.
--python names a Python that has Pillow.`;

/** What one process measured. */
interface Timed {
  count: number;
  /** Seconds. */
  list: number;
  prepare?: number;
  /** Seconds of all processors while preparing, which other work on the machine changes less. */
  cpu?: number;
  cached?: number;
  /** Bytes. */
  preparing?: number;
  peak: number;
}

const WORKER = `
import process from "node:process";
const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};
import { openPath } from "OPEN";
import { openDataset } from "DATASET";
const [data, resolution, cache, kind] = Deno.args;
let start = performance.now();
const lap = () => {
  const seconds = (performance.now() - start) / 1000;
  start = performance.now();
  return seconds;
};
const peak = () =>
  1024 * Number(/VmHWM:\\s*(\\d+)/.exec(Deno.readTextFileSync("/proc/self/status"))?.[1] ?? NaN);
const onProgress = (done, total) => {
  if (done === total) timed.preparing = peak();
};
const source = await openPath(data), timed = { count: source.names.length, list: lap() };
await source.close();
if (kind !== "list") {
  start = performance.now();
  const before = cpu();
  await openDataset({ data, resolution: Number(resolution), cache, onProgress });
  timed.prepare = lap();
  timed.cpu = cpu() - before;
  await openDataset({ data, resolution: Number(resolution), cache });
  timed.cached = lap();
}
timed.peak = peak();
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

/** As `time`, by Pillow. */
async function pillow(python: string, data: string, resolution: string): Promise<Timed> {
  const { code, stdout, stderr } = await new Deno.Command(python, {
    args: [`${import.meta.dirname}/pillow.py`, data, resolution],
  }).output();
  const text = new TextDecoder();
  if (code !== 0) throw new Error(text.decode(stderr).trim().split("\n").at(-1));
  return JSON.parse(text.decode(stdout));
}

/** What all rounds of a data set gave, by who did it; a sentence for one that fails. */
type Found = Map<string, Timed[] | string>;

async function round(found: Found, measures: [string, () => Promise<Timed>][]): Promise<void> {
  for (const [name, measure] of measures) {
    const list = found.get(name) ?? [];
    if (typeof list === "string") continue;
    try {
      found.set(name, [...list, await measure()]);
    } catch (error) {
      found.set(name, (error as Error).message);
    }
  }
}

/** Lines on one data set; `folder` are the medians of a folder of the same images. */
function report(found: Found, folder?: Record<string, number>): string[] {
  const lines: string[] = [], now = medians(found.get("now") as Timed[]);
  const others = [...found].filter(([name]) => name !== "now").map(([name, list]) =>
    [name, typeof list === "string" ? list : medians(list)] as const
  );
  for (const [name, list] of others) if (typeof list === "string") lines.push(`  ${name}: ${list}`);
  for (const [what, value] of Object.entries(now)) {
    if (what === "count") continue;
    const isSize = what === "peak" || what === "preparing";
    const shown = (value: number) =>
      isSize ? `${(value / 1e6).toFixed(0)} MB` : `${value.toFixed(3)} s`;
    const than = others.flatMap(([name, list]) => {
      if (typeof list === "string" || !(list[what] > 0)) return [];
      return [`${name} ${shown(list[what])}, ratio ${(list[what] / value).toFixed(2)}`];
    });
    if (folder && (what === "prepare" || what === "cpu")) {
      than.push(`${(value / folder[what]).toFixed(2)} of the folder's`);
    }
    lines.push([`  ${what.padEnd(9)} ${shown(value)}`, ...than].join("; "));
  }
  return lines;
}

async function main(words: string[]): Promise<number> {
  const args = parseArgs(words, {
    string: ["data", "resolution", "rounds", "python"],
    boolean: ["help", "list"],
    default: { resolution: "64", rounds: "3" },
  });
  const [older] = args._, paths = [args.data ?? []].flat();
  if (args.help || older === undefined || paths.length === 0) {
    console.log(HELP);
    return args.help ? 0 : 2;
  }
  const roots = [resolve(String(older)), resolve(import.meta.dirname!, "..")];
  const resolution = String(args.resolution), kind = args.list ? "list" : "all";
  const all = new Map(paths.map((path) => [resolve(String(path)), new Map() as Found]));
  for (let turn = 0; turn < Number(args.rounds); turn++) {
    for (const [path, found] of all) {
      const measures: [string, () => Promise<Timed>][] = [
        ["before", () => time(roots[0], path, resolution, kind)],
        ["now", () => time(roots[1], path, resolution, kind)],
      ];
      if (turn % 2) measures.reverse();
      const isPlain = path.endsWith(".zip") || await Deno.readDir(path)[Symbol.asyncIterator]()
        .next().then(({ value }) => /\.(jpe?g|png)$/i.test(value?.name), () => false);
      if (args.python && isPlain && kind === "all") {
        measures.push(["Pillow", () => pillow(String(args.python), path, resolution)]);
      }
      await round(found, measures);
    }
  }
  const folder = [...all].find(([path]) =>
    Deno.statSync(path).isDirectory && !path.endsWith("lmdb")
  )?.[1];
  for (const [path, found] of all) {
    const now = found.get("now");
    if (typeof now === "string") throw new Error(now);
    console.log(`${path}: ${now![0].count} images`);
    const compared = found === folder ? undefined : folder?.get("now") as Timed[] | undefined;
    for (const line of report(found, compared && medians(compared))) console.log(line);
  }
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
