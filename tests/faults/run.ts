/** A short run, of which one thing fails; and what must be true afterwards. */
import { assert, assertEquals } from "@std/assert";
import { join } from "@std/path";
import { savePng } from "../../data/png.ts";
import { openGpu } from "../../gpu/device.ts";
import { currentGpu } from "../../gpu/gpu.ts";
import { deno } from "../../gpu/engines/deno.ts";
import { main } from "../../main.ts";
import { checkpointsIn, findCheckpoint, runsIn } from "../../run/run_folder.ts";
import { assertSame } from "../support.ts";
import { withFaultyFiles } from "./files.ts";
import { faulty } from "./gpu.ts";
import { Injector } from "./injector.ts";

const NETS = "--preset small --resolution 8 --batch 2 --ngf 2 --ndf 2 --nz 2 --keep 9";
const COURSE = "--kimg 0.004 --snapshot 0.002 --json --no-autotune";

/** What a command said. */
interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the program within this process. */
export async function gan(line: string): Promise<Said> {
  const write = Deno.stdout.writeSync, { log, error } = console;
  let out = "", err = "";
  Deno.stdout.writeSync = (bytes) => {
    out += new TextDecoder().decode(bytes);
    return bytes.length;
  };
  console.log = (text) => out += `${text}\n`;
  console.error = (text) => err += `${text}\n`;
  try {
    return { code: await main(line.split(" ")), out, err };
  } finally {
    Deno.stdout.writeSync = write;
    Object.assign(console, { log, error });
  }
}

/** Something that fails: the number `at` of its kind. */
export interface Fault {
  readonly kind: string;
  readonly at: number;
  /** Whether the data are prepared in this run, and in the case of other kinds than files shaders compiled. */
  readonly fresh?: boolean;
  /** What the system says of a file; EIO if left out. */
  readonly code?: string;
}

/** Runs with faults, in a folder of its own. */
export class FaultyRuns {
  readonly #injector = new Injector();
  readonly #folder: string;
  #whole: Uint8Array | undefined;
  #out = 0;
  #files: readonly string[] = [];

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The file operations of the last run that {@linkcode FaultyRuns.counts} made, in order. */
  get files(): readonly string[] {
    return this.#files;
  }

  /** Makes images, and a run without any fault; returns how often each kind could fail in it. */
  async counts(fresh: boolean): Promise<Map<string, number>> {
    const R = 8, images = join(this.#folder, "images");
    await Deno.mkdir(images, { recursive: true });
    for (let i = 0; i < 4 && !this.#whole; i++) {
      const rgb = Uint8Array.from({ length: R * R * 3 }, (_, j) => (j * (7 + i)) % 256);
      await savePng(join(images, `${i}.png`), { width: R, height: R, rgb });
    }
    const { said, run, counts, files } = await this.#train({ kind: "", at: 0, fresh });
    assertEquals([said.code, said.err], [0, ""], said.out);
    this.#whole ??= await Deno.readFile(await findCheckpoint(run!));
    this.#files = files;
    return counts;
  }

  /** Makes one thing fail; throws unless all is as it must be. Returns what happened. */
  async check(fault: Fault): Promise<string> {
    const { said, run, out, hit } = await this.#train(fault);
    if (hit === undefined) return `${fault.kind} ${fault.at}: not reached`;
    const what = `${hit}: exit code ${said.code}: ${said.err || "no word"}`;
    if (said.code === 0) assertEquals(said.err, "", what);
    else {
      assert(/^gan: [^\n]+\n$/.test(said.err), `not one sentence: ${what}`);
      assert(!/undefined|\bat \S+:\d+:\d+/.test(said.err), `not a sentence: ${what}`);
    }
    const some = run !== undefined && (await checkpointsIn(run)).length > 0;
    if (/^file .*images\/\d\.png/.test(hit) && said.code === 0) {
      assert(said.out.includes("Left out 1 image"), what); // and trained on the others
    } else if (some) {
      const again = await gan(`train --resume ${run} --json --no-autotune`);
      assertEquals([again.code, again.err], [0, ""], `${what}; resumed: ${again.out}`);
      const last = await Deno.readFile(await findCheckpoint(run));
      assertSame(last, this.#whole!, `${what}; the resumed run's checkpoint`);
    } else {
      assert(said.code !== 0, what);
      const again = await gan(`train dcgan ${this.#line(out)}`);
      assertEquals([again.code, again.err], [0, ""], `${what}; started anew: ${again.out}`);
    }
    for (const { name } of run ? Deno.readDirSync(run) : []) {
      assert(!name.endsWith(".part"), `${what}: ${name} is left`);
    }
    return what;
  }

  /** Opens the device, or another one in its place. */
  async #open(another = false): Promise<void> {
    const device = currentGpu()?.device;
    if (another) device?.destroy();
    if (another) await device?.lost;
    await openGpu({ engine: faulty(deno, this.#injector) });
  }

  #line(out: string): string {
    return `--data ${join(this.#folder, "images")} --out ${out} ${NETS} ${COURSE}`;
  }

  async #train(fault: Fault) {
    if (fault.fresh) this.#out++;
    const out = join(this.#folder, `out${this.#out}`), injector = this.#injector;
    const ofDevice = fault.kind === "loss" || fault.fresh === true && fault.kind !== "file";
    await this.#open(ofDevice);
    const before = (await runsIn(out)).length;
    injector.arm(fault);
    const isOurs = (path: string) => path.startsWith(this.#folder);
    const said = await withFaultyFiles(
      injector,
      isOurs,
      () => gan(`train dcgan ${this.#line(out)}`),
      fault.code,
    );
    const { hit } = injector,
      made = { counts: new Map(injector.counts), files: [...injector.files] };
    injector.arm();
    // What failed stays broken; a process would have ended with it.
    if (hit !== undefined) await this.#open(ofDevice);
    const runs = await runsIn(out);
    const name = runs.length > before ? runs.at(-1)!.name : undefined;
    const run = name && !name.startsWith(".") ? join(out, name) : undefined;
    return { said, run, out, hit, ...made };
  }
}
