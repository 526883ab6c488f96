/** Kills runs with SIGKILL at random moments; goes on with them; compares the end with that of unbroken ones. */
import { assert, assertEquals } from "@std/assert";
import { basename, join } from "@std/path";
import { savePng } from "../../data/png.ts";
import { loadSafetensors } from "../../io/safetensors.ts";
import { bestPath, checkpointsIn, runsIn } from "../../run/run_folder.ts";
import { assertSame, random } from "../support.ts";

const ROOT = join(import.meta.dirname!, "..", "..");
const COURSE = "--batch 2 --nz 2 --keep 9 --kimg 0.006 --snapshot 0.002 --no-autotune";
const CHANNELS = "--fmap-base 64 --fmap-max 8";

/** What is trained, by name. PGGAN goes through all its stages: 4 pixels, a fade-in, 8 pixels. */
export const SYSTEMS: Readonly<Record<string, string>> = {
  dcgan: `dcgan --resolution 8 --ngf 2 --ndf 2 ${COURSE}`,
  sagan: `sagan --resolution 16 --ngf 2 --ndf 2 --attention 8 ${COURSE}`,
  pggan: `pggan --resolution 8 ${CHANNELS} --phase-kimg 0.004 --last-kimg 0.004 ` +
    COURSE.replace("--kimg 0.006", "--kimg 0.012"),
  r3gan: `r3gan --resolution 8 ${CHANNELS} --blocks 1 ${COURSE}`,
};

type Tensors = ReadonlyMap<string, { readonly data: ArrayLike<number | bigint> }>;

interface Unbroken {
  readonly counts: Readonly<Record<string, number>>;
  readonly tensors: Tensors;
  readonly names: readonly string[];
}

/** A run that was killed and came to the right end. */
interface Followed {
  /** What happened. */
  readonly what: string;
  readonly kills: number;
}

/** Runs that are killed, in a folder of their own. */
export class KilledRuns {
  readonly #unbroken = new Map<string, Unbroken>();
  #next = 0;

  /** @param more Options beside those of {@linkcode SYSTEMS}, by the system's name. */
  constructor(readonly folder: string, readonly more: Readonly<Record<string, string>> = {}) {}

  /** Makes the images to train on. */
  async begin(): Promise<void> {
    for (let i = 0; i < 4; i++) {
      const rgb = Uint8Array.from({ length: 16 * 16 * 3 }, (_, j) => (j * (7 + i)) % 256);
      await savePng(join(this.folder, "images", `${i}.png`), { width: 16, height: 16, rgb });
    }
  }

  /**
   * Starts a run, kills it once or more often at random moments, and goes on with it to the end.
   *
   * @param seed Of the moments.
   */
  async check(system: string, seed: number, kills: number): Promise<Followed> {
    const { counts } = await this.#whole(system), draw = random(seed);
    const moments = Array.from({ length: kills }, (_, i) => {
      // As many by files, of which there are few, as by submits; a resumed run has less to do.
      const kind = draw() < 0 ? "file" : "submit", share = (draw() + 1) / (i === 0 ? 2 : 6);
      return `${kind}:${Math.floor(share * counts[kind])}`;
    });
    return await this.checkAt(system, moments, `seed ${seed}`);
  }

  /**
   * The same at moments that are given, one after the other: as child.ts takes them, or `sh` and commands of a
   * shell that limit what the process may have, which either end it in a sentence or kill it. They find the
   * folder of runs in `$OUT`.
   *
   * @throws {Error} If the end is not that of a run that was never killed.
   */
  async checkAt(system: string, moments: readonly string[], name = ""): Promise<Followed> {
    const whole = await this.#whole(system), out = `killed${this.#next++}`, told: string[] = [];
    let kills = 0;
    for (const moment of [...moments, ""]) {
      const run = await this.#run(out);
      const line = run && (await checkpointsIn(run)).length
        ? `--resume ${run}`
        : this.#line(system);
      const { code, err } = await this.#gan(`train ${line} --out ${out}`, moment, out);
      const [, said = ""] = /^(gan: .*)\n$/m.exec(err) ?? [];
      const isLimited = moment.startsWith("sh ");
      told.push(`${isLimited ? "" : moment || "end"} ${code} ${said}`.trim());
      // Too little even for Deno to begin, or for libraries that end the process.
      const isForeseen = isLimited
        ? said || code > 128 || /^error: Import|called `Result::unwrap/m.test(err)
        : moment && code === 137;
      assert(code === 0 || isForeseen, `${system} ${name}: ${told}: ${err}`);
      if (code === 0) break; // it may come to its end before that moment
      kills++;
    }
    const what = [system, name, ...told].filter(Boolean).join("; "), run = await this.#run(out);
    assertTensors(await tensorsOf(run!), whole.tensors, what);
    const names = await namesIn(run!);
    assertEquals(names.filter((name) => !/^events/.test(name)), whole.names, what);
    return { what, kills };
  }

  async #whole(system: string): Promise<Unbroken> {
    const known = this.#unbroken.get(system);
    if (known) return known;
    const { code, err } = await this.#gan(`train ${this.#line(system)} --out whole-${system}`);
    assertEquals(code, 0, err);
    const run = (await this.#run(`whole-${system}`))!,
      counts = JSON.parse(err.trim().split("\n").at(-1)!);
    const names = (await namesIn(run)).filter((name) => !/^events/.test(name));
    const made = { counts, tensors: await tensorsOf(run), names };
    this.#unbroken.set(system, made);
    return made;
  }

  #line(system: string): string {
    return `${SYSTEMS[system]} ${this.more[system] ?? ""} --data images`;
  }

  /** The newest run in a folder. */
  async #run(out: string): Promise<string | undefined> {
    const runs = (await runsIn(join(this.folder, out))).filter(({ name }) => !name.startsWith("."));
    return runs.length ? join(this.folder, out, runs.at(-1)!.name) : undefined;
  }

  async #gan(line: string, moment = "", out = ""): Promise<{ code: number; err: string }> {
    const limits = moment.startsWith("sh ") ? moment.slice(3) : undefined;
    const program = join(ROOT, limits === undefined ? "tests/kills/child.ts" : "main.ts");
    const run = ["run", "-A", "--no-check", "--config", join(ROOT, "deno.json"), program];
    const args = [...run, ...line.split(" ").filter(Boolean)], deno = Deno.execPath();
    const shell = ["-c", `${limits}\nexec "$@"`, "sh", deno];
    const { code, stderr } = await new Deno.Command(limits === undefined ? deno : "sh", {
      args: [...limits === undefined ? [] : shell, ...args],
      cwd: this.folder,
      env: {
        NO_COLOR: "1",
        KILL_AT: limits === undefined ? moment : "",
        LP_NUM_THREADS: "1",
        OUT: out,
      },
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).output();
    return { code, err: new TextDecoder().decode(stderr) };
  }
}

async function namesIn(run: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(run), ({ name }) => name)).sort();
}

/** All tensors of the last checkpoint, and of the best where there is one. */
async function tensorsOf(run: string): Promise<Tensors> {
  const best = await Deno.stat(bestPath(run)).then(() => [bestPath(run)], () => []);
  const all = new Map<string, { readonly data: ArrayLike<number | bigint> }>();
  for (const path of [(await checkpointsIn(run)).at(-1)!, ...best]) {
    const { entries } = await loadSafetensors(path);
    for (const [name, entry] of entries) all.set(`${basename(path)} ${name}`, entry);
  }
  return all;
}

function assertTensors(actual: Tensors, expected: Tensors, what: string): void {
  assertEquals([...actual.keys()], [...expected.keys()], what);
  for (const [name, { data }] of expected) {
    assertSame(
      actual.get(name)!.data as ArrayLike<number>,
      data as ArrayLike<number>,
      `${what}: ${name}`,
    );
  }
}
