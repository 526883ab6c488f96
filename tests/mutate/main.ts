/**
 * Changes one token of the program at a time and sees whether a test fails.
 *
 *     deno task mutate --count 300 --seed 1 --only kernels,nn
 *
 * Works in a temporary copy of the checkout, one mutant after the other: its neighbour test first, then
 * those that import it, up to `--limit` seconds of the processor; the first hangs after `--hang`. Results go
 * to a file, one line a mutant; the same command goes on where it was stopped. `--again` tries the file's
 * survivors once more, and gives them to the type checker, too. Ends with 1 if any survive.
 *
 * @module
 */
import { parseArgs } from "@std/cli/parse-args";
import { dirname } from "@std/path";
import { type Mutant, mutantsOf, mutated } from "./mutants.ts";
import { testsBySubject } from "./relevant_tests.ts";
import { hasTypes, runTest } from "./run_test_file.ts";

const SUBJECTS = "kernels,gpu,nn,train,eval,data,io";
const ROOT = new URL("../../", import.meta.url);

/** What became of a mutant. */
interface Verdict extends Mutant {
  /** `invalid`: no compiler takes it. `survived`: no test failed within the limit. */
  readonly verdict: "killed" | "hung" | "survived" | "invalid";
  /** The tests that ran; the last one saw it, if any did. */
  readonly tests: readonly string[];
  /** Name of the test that failed. */
  readonly by?: string;
  readonly seconds: number;
}

/** The same change of the same line is the same mutant, wherever the line now is. */
const keyOf = ({ file, text, before, after, column }: Mutant) =>
  JSON.stringify([file, text.trim(), column, before, after]);

async function git(...args: string[]): Promise<string[]> {
  const { stdout } = await new Deno.Command("git", { args, cwd: ROOT }).output();
  return new TextDecoder().decode(stdout).split("\n").filter(Boolean);
}

/** A copy of what git knows or would take; the texts of its modules and shaders. */
async function copyTo(folder: string): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  for (const name of await git("ls-files", "-co", "--exclude-standard")) {
    const from = new URL(encodeURI(name), ROOT), to = `${folder}/${name}`;
    await Deno.mkdir(dirname(to), { recursive: true });
    await Deno.copyFile(from, to).catch(() => {}); // removed, but git does not know yet
    if (/\.(ts|wgsl)$/.test(name)) texts.set(name, await Deno.readTextFile(from).catch(() => ""));
  }
  return texts;
}

/** Mixes a text into a number (FNV-1a, then murmur's finish). */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  return (h ^ (h >>> 13)) >>> 0;
}

/**
 * Of each file one, then of each another, and so on. Which ones follows from the seed and from the mutants
 * themselves: a change of one line leaves the others' places.
 */
function sample(mutants: readonly Mutant[], seed: string): Mutant[] {
  const turn = new Map<string, number>();
  return mutants.map((mutant) => ({ mutant, place: hash(seed + keyOf(mutant)) }))
    .sort((a, b) => a.place - b.place)
    .map(({ mutant, place }) => {
      const nth = turn.get(mutant.file) ?? 0;
      turn.set(mutant.file, nth + 1);
      return { mutant, place: 2 ** 32 * nth + place };
    })
    .sort((a, b) => a.place - b.place).map(({ mutant }) => mutant);
}

/** Runs tests of mutants in a copy of the checkout. */
class Bench {
  /** Seconds that tests took when they passed. */
  readonly #costs = new Map<string, number>();
  /** What passes without a mutant, and what does not. */
  readonly #clean = new Map<string, boolean>();

  constructor(
    readonly folder: string,
    readonly texts: ReadonlyMap<string, string>,
    readonly tests: ReadonlyMap<string, readonly string[]>,
    /** Seconds of the processor for all tests of a mutant but the first. */
    readonly limit: number,
    /** Seconds after which a first test hangs. */
    readonly hang: number,
    /** Whether the type checker, which is slow, looks at survivors. */
    readonly types: boolean,
  ) {}

  /** Whether a test that failed passes without the mutant. */
  async #passesOtherwise(test: string, failed = ""): Promise<boolean> {
    const key = JSON.stringify([test, failed]);
    let isClean = this.#clean.get(key);
    if (isClean === undefined) {
      const { state } = await runTest(this.folder, test, this.hang, failed);
      this.#clean.set(key, isClean = state === "passed");
      if (!isClean) console.error(`left out, fails by itself: ${test} ${failed}`);
    }
    return isClean;
  }

  async judge(mutant: Mutant): Promise<Verdict> {
    const path = `${this.folder}/${mutant.file}`, text = this.texts.get(mutant.file)!;
    const ran: string[] = [];
    let spent = 0;
    const verdict = (verdict: Verdict["verdict"], by?: string): Verdict => ({
      ...mutant,
      verdict,
      tests: ran,
      ...by !== undefined && { by },
      seconds: Math.round(spent * 10) / 10,
    });
    for (const test of this.tests.get(mutant.file) ?? []) {
      if (ran.length > 0 && spent + (this.#costs.get(test) ?? 0) > this.limit) continue;
      ran.push(test);
      await Deno.writeTextFile(path, mutated(text, mutant));
      // The first test may hang; of others it is not known yet how long they take without a mutant.
      const isFirst = ran.length === 1, most = isFirst ? this.hang : this.limit;
      const { state, seconds, failed } = await runTest(this.folder, test, most);
      await Deno.writeTextFile(path, text);
      spent += seconds;
      if (state === "hung" && !isFirst) {
        this.#costs.set(test, Infinity);
        continue;
      }
      if (state === "passed") this.#costs.set(test, seconds);
      else if (state === "invalid") return verdict(state);
      else if (await this.#passesOtherwise(test, failed)) {
        return verdict(state === "failed" ? "killed" : state, failed);
      }
    }
    if (!this.types || !mutant.file.endsWith(".ts")) return verdict("survived");
    await Deno.writeTextFile(path, mutated(text, mutant));
    const isSound = await hasTypes(this.folder, mutant.file);
    await Deno.writeTextFile(path, text);
    return verdict(isSound ? "survived" : "invalid");
  }
}

async function readVerdicts(path: string): Promise<Map<string, Verdict>> {
  const lines = (await Deno.readTextFile(path).catch(() => "")).split("\n").filter(Boolean);
  const verdicts = lines.map((line) => JSON.parse(line) as Verdict);
  return new Map(verdicts.map((verdict) => [keyOf(verdict), verdict]));
}

const show = ({ file, line, before, after, text }: Mutant) =>
  `${file}:${line}: ${before} -> ${after || "(nothing)"}: ${text.trim()}`;

/** A line for each folder, and one for all. */
function score(verdicts: readonly Verdict[]): string {
  const line = (name: string, of: readonly Verdict[]) => {
    const count = (...which: string[]) =>
      of.filter(({ verdict }) => which.includes(verdict)).length;
    const killed = count("killed", "hung"), survived = count("survived");
    return `${name}: ${killed} of ${killed + survived} killed (${
      count("hung")
    } by the time limit), ` +
      `${count("invalid")} more refused by a compiler`;
  };
  const folders = Map.groupBy(verdicts, ({ file }) => file.split("/")[0]);
  return [...folders].map(([name, of]) => line(name, of)).concat(line("all", verdicts)).join("\n");
}

async function main(): Promise<number> {
  const args = parseArgs(Deno.args, {
    string: ["count", "seed", "only", "limit", "hang", "out"],
    boolean: ["again"],
    default: { count: "300", seed: "1", only: SUBJECTS, limit: "10", hang: "60" },
  });
  const out = String(args.out ?? new URL(".cache/mutants.jsonl", ROOT).pathname);
  await Deno.mkdir(dirname(out), { recursive: true });
  const folder = await Deno.makeTempDir({ prefix: "mutants-" });
  try {
    const texts = await copyTo(folder);
    const isSubject = (file: string) =>
      !file.endsWith("_test.ts") &&
      String(args.only).split(",").some((part) => file === part || file.startsWith(`${part}/`));
    const all = [...texts].filter(([file]) => isSubject(file))
      .flatMap(([file, text]) => mutantsOf(file, text));
    const chosen = sample(all, String(args.seed)).slice(0, Number(args.count));
    const bench = new Bench(
      ...[folder, texts, testsBySubject(texts)] as const,
      ...[Number(args.limit), Number(args.hang), args.again === true] as const,
    );
    const known = await readVerdicts(out);
    const isDue = (verdict?: Verdict) => !verdict || args.again && verdict.verdict === "survived";
    for (const [i, mutant] of chosen.entries()) {
      if (!isDue(known.get(keyOf(mutant)))) continue;
      const verdict = await bench.judge(mutant);
      known.set(keyOf(mutant), verdict);
      await Deno.writeTextFile(out, JSON.stringify(verdict) + "\n", { append: true });
      console.error(
        `${i + 1}/${chosen.length} ${verdict.verdict} ${verdict.seconds} s ${show(mutant)}`,
      );
    }
    const verdicts = chosen.map((mutant) => known.get(keyOf(mutant))!);
    const survivors = verdicts.filter(({ verdict }) => verdict === "survived");
    for (const survivor of survivors) console.log(show(survivor));
    console.log(`${score(verdicts)}\n${all.length} mutants in all`);
    return survivors.length > 0 ? 1 : 0;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

if (import.meta.main) Deno.exit(await main());
