/** The command line as a user meets it: `main.ts` in a process of its own. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } from "@zip.js/zip.js";
import { savePng } from "../data/png.ts";
import { recipes } from "../cli/recipes.ts";
import { defaults } from "../train/options.ts";
import { VERSION } from "../train/version.ts";
import { GIVEN } from "./support.ts";

const ROOT = join(import.meta.dirname!, "..");
const NETS = "--preset small --resolution 16 --batch 2 --ngf 2 --ndf 2 --nz 2";

let temp: string, dataset: string, out: string;

/** What a process left. */
interface Ended {
  readonly code: number;
  readonly out: string;
  /** Lines on stderr, without those of the driver. */
  readonly errors: string[];
}

function start(args: string[], env: Record<string, string> = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      ...GIVEN,
      "--config",
      join(ROOT, "deno.json"),
      join(ROOT, "main.ts"),
      ...args,
    ],
    cwd: temp,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

async function end(child: Deno.ChildProcess): Promise<Ended> {
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: text(stdout), errors: ownLines(text(stderr)) };
}

/** What the program itself has to say: drivers say something, too. */
function ownLines(errors: string): string[] {
  const foreign = /XDG_RUNTIME_DIR|^MESA|^libEGL|^WARNING: lavapipe|^\s*$/;
  return errors.split("\n").filter((line) => !foreign.test(line));
}

async function gan(line: string): Promise<Ended> {
  return await end(start(line.split(" ").filter(Boolean)));
}

/** Runs jobs two at a time. */
async function byTwos<T>(all: readonly T[], job: (one: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) await job(one);
  };
  await Promise.all([worker(), worker()]);
}

/** A command line, its exit code, and what its one line on stderr says. */
type Refusal = readonly [line: string, code: number, ...says: string[]];

async function assertRefused(refusals: readonly Refusal[]): Promise<void> {
  await byTwos(refusals, async ([line, code, ...says]) => {
    const ended = await gan(line);
    const about = `gan ${line}: ${JSON.stringify(ended)}`;
    assertEquals(ended.code, code, about);
    assertEquals(ended.errors.length, 1, about);
    assert(ended.errors[0].startsWith("gan: "), about);
    for (const part of says) assert(ended.errors[0].includes(part), `${about} lacks "${part}"`);
  });
}

async function files(folder: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(folder), ({ name }) => name)).sort();
}

/** A copy of the run `from` beside it, changed by `change`. */
async function copyRun(from: string, name: string, change: (run: string) => Promise<void>) {
  const run = join(temp, "copies", name);
  await Deno.mkdir(run, { recursive: true });
  for (const file of await files(from)) await Deno.copyFile(join(from, file), join(run, file));
  await change(run);
}

Deno.test.beforeAll(async () => {
  temp = await Deno.makeTempDir();
  [dataset, out] = [join(temp, "faces"), join(temp, "runs")];
  for (let i = 0; i < 4; i++) {
    const rgb = Uint8Array.from({ length: 20 * 20 * 3 }, (_, j) => j * (7 + i));
    await savePng(join(dataset, `${i}.png`), { width: 20, height: 20, rgb });
  }
  await Deno.writeTextFile(join(dataset, "broken.png"), "no image");
  await Deno.mkdir(join(temp, "empty"));
  await Deno.writeTextFile(join(temp, "file"), "no zip");
  const zip = new ZipWriter(new Uint8ArrayWriter());
  const png = await Deno.readFile(join(dataset, "0.png"));
  await zip.add("0.png", new Uint8ArrayReader(png));
  const bytes = await zip.close();
  await Deno.writeFile(join(temp, "cut.zip"), bytes.subarray(0, bytes.length - 30));
});

Deno.test.afterAll(() => Deno.remove(temp, { recursive: true }));

Deno.test("a command line that cannot be followed is answered in one line", async () => {
  await assertRefused([
    ["", 2, "Name a command", "train, sample, report, timelapse, eval", "doctor"],
    ["tarin dcgan", 2, "no command tarin", "train, sample, report, timelapse, eval", "doctor"],
    ["train", 2, "Name what to train", "dcgan"],
    ["train dcgna", 2, "no recipe dcgna", "dcgan"],
    ["train dcgan other", 2, "One system at a time", "dcgan and other"],
    ["train dcgan --res 32", 2, "no option --res", "did you mean --res"],
    ["train dcgan --foo", 2, "no option --foo", "--help"],
    ["train dcgan --constructor 3", 2, "no option --constructor", "--help"],
    ["train dcgan --no-batch", 2, "no option --no-batch", "--batch"],
    ["doctor foo", 2, "options only", "foo"],
    ["train dcgan --batch", 2, "--batch needs a value"],
    ["train dcgan --kimg --batch 2", 2, "--kimg needs a value"],
    ["train dcgan --batch many", 2, "--batch many", "whole number"],
    ["train dcgan --batch 2.5", 2, "--batch 2.5", "whole number"],
    ["train dcgan --batch 1", 2, "--batch 1", "from 2 to 4096"],
    ["train dcgan --seed -1", 2, "--seed -1", "at least 0"],
    ["train dcgan --loss foo", 2, "--loss foo", "bce"],
    ["train dcgan --batch 2 --batch 3", 2, "--batch is given twice", "2 and 3"],
    ["train dcgan --out file", 2, "--out file is a file"],
    ["train dcgan --out file/runs", 2, "--out file/runs cannot be written to", "another folder"],
    ["train --resume 7", 1, `no run "7" in runs`],
    ["sample nosuch", 1, `no run "nosuch" in runs`],
    ["sample latest --count 0", 2, "--count 0", "from 1 to"],
    ["sample latest --seeds 5-3", 2, "--seeds 5-3", "0-15,40"],
    ["sample latest --seeds 5 --count 3", 2, "no --count"],
    ["sample latest --fps 5", 2, "--fps is for animations", "--interpolate"],
    ["sample latest --interpolate --single", 2, "no --single"],
    ["report nosuch", 1, `no run "nosuch" in runs`],
    ["report 1 2", 2, "One run at a time"],
    ["timelapse nosuch", 1, `no run "nosuch" in runs`],
    ["timelapse 1 2", 2, "One run at a time"],
  ]);
});

Deno.test("options that do not go together, and images that cannot be used", async () => {
  const train = `train dcgan ${NETS} --out refused`;
  await assertRefused([
    ["train dcgan --resolution 48", 2, "--resolution 48", "power of two"],
    ["train dcgan --preset huge", 2, "--preset huge", "small"],
    ["train dcgan --crop 10x", 2, "--crop 10x", "WxH+X+Y"],
    ["train dcgan --loss hinge --label-smoothing 0.9", 2, "--label-smoothing", "hinge"],
    ["train dcgan --attention 32", 2, "--attention is for sagan", "dcgan has no use"],
    ["train dcgan --augment color,blur", 2, "no blur", "color,translation,cutout"],
    ["train sagan --attention 12", 2, "--attention 12", "powers of two"],
    ["train sagan --norm-d batch --r1 1", 2, "--r1", "--norm-d none"],
    ["train sagan --preset thesis --residual", 2, "--residual", "--norm-d none"],
    ["train sagan --dropout 1", 2, "--dropout 1", "below 1"],
    ["train sagan --preset thesis --loss hinge", 2, "--label-smoothing", "hinge"],
    ["train dcgan --gp 10", 2, "--gp is for sagan and pggan"],
    ["train dcgan --fmap-max 8", 2, "--fmap-max is for pggan"],
    ["train dcgan --eval-samples 50", 2, "--eval-samples has no effect without --eval-every"],
    [
      "train dcgan --eval-every 1 --eval-metrics fid,kids",
      2,
      "there is no metric kids: did you mean kid?",
    ],
    ["train dcgan --eval-every 1 --eval-metrics ct", 2, "ct needs images that are held out"],
    ["train sagan --attention none --attention-reduction 2", 2, "without --attention"],
    ["train pggan --ngf 8", 2, "--ngf is for dcgan and sagan: pggan has no use for it"],
    ["train pggan --norm foo", 2, "--norm foo", "pixel, batch, none"],
    ["train pggan --norm batch", 2, "without batch norm", "--norm pixel"],
    ["train pggan --batch 6", 2, "--batch 6", "multiple of 4", "--minibatch none"],
    ["train pggan --phase-kimg 0 --last-kimg 0", 2, "nothing to show"],
    ["train dcgan --device nosuchdevice", 1, "--device nosuchdevice"],
    [`${train} --data faces --crop 16x16+9+0`, 1, "crop 16x16+9+0", "20 x 20"],
    [`${train} --data faces --classes cat`, 1, "faces has no classes", "leave out --classes"],
    ["train dcgan --classes cat --out refused", 1, 'emoji has no class "cat"'],
    ["data", 2, "name one folder or file"],
    ["data cut.zip", 1, "cut.zip is not a zip, or was cut short"],
    [`${train} --data nowhere`, 1, "nowhere does not exist"],
    [`${train} --data empty`, 1, "empty holds no image"],
    [`${train} --data file`, 1, "file is of a kind that is not read"],
    [`${train} --data cut.zip`, 1, "cut.zip is not a zip, or was cut short"],
  ]);
  const left = await files(join(temp, "refused")).catch(() => [] as string[]);
  assertEquals(left.filter((name) => name !== ".cache"), [], "a refused run leaves no folder");
});

Deno.test("a run trains, goes on and makes images", async () => {
  const trained = await gan(`train dcgan ${NETS} --data faces --kimg 0.004`);
  assertEquals([trained.code, trained.errors], [0, []], JSON.stringify(trained));
  assertEquals((await files(out)).filter((name) => name !== ".cache"), ["00000-dcgan-faces-16"]);
  assertStringIncludes(
    trained.out,
    "Left out 1 image:\n  broken.png: neither JPEG, PNG nor WebP\n",
  );
  assertStringIncludes(trained.out, "\nOnly 4 distinct images: ");
  const run = join(out, "00000-dcgan-faces-16"), made = await files(run);
  for (
    const name of [
      "checkpoint-000000.safetensors",
      "fakes000000.png",
      "options.json",
      "reals.png",
      "stats.jsonl",
    ]
  ) assert(made.includes(name), `${name} is not among ${made}`);
  assert(made.some((name) => name.startsWith("events.out.tfevents")));
  assert(!made.some((name) => name.endsWith(".part")), String(made));

  const images = async () => {
    const lines = (await Deno.readTextFile(join(run, "stats.jsonl"))).trim().split("\n");
    return JSON.parse(lines.at(-1)!).images;
  };
  assertEquals(await images(), 4);
  const resumed = await gan("train --resume latest --kimg 0.008 --no-autotune");
  assertEquals([resumed.code, resumed.errors], [0, []], JSON.stringify(resumed));
  assertStringIncludes(resumed.out, "Going on from");
  assertEquals(await images(), 8);
  // Where it came from, and that stays so.
  const saved = JSON.parse(await Deno.readTextFile(join(run, "options.json"))), { origin } = saved;
  assertEquals([origin.version, saved.kimg, saved.fmapBase], [VERSION, 0.008, undefined]);
  assertEquals(origin.command.slice(0, 2), ["train", "dcgan"]);
  assertEquals(origin.command.slice(-4), ["--data", "faces", "--kimg", "0.004"]);
  assert(origin.device.length > 0 && origin.data.count === 4 && /^\w+$/.test(origin.data.hash));

  await byTwos(
    ["sample latest --to grid.png", "sample 0 --single --count 3 --to three"],
    async (line) => {
      const { code, errors } = await gan(line);
      assertEquals([code, errors], [0, []]);
    },
  );
  assertEquals([...(await Deno.readFile(join(temp, "grid.png"))).subarray(1, 4)], [80, 78, 71]);
  assertEquals(await files(join(temp, "three")), ["000000.png", "000001.png", "000002.png"]);
});

Deno.test("a run grows, goes on in the middle of a fade-in, and makes animations", async () => {
  const nets = "--preset small --resolution 8 --batch 4 --nz 2 --fmap-base 8 --fmap-max 2";
  const phases = "--phase-kimg 0.008 --last-kimg 0.004";
  const trained = await gan(
    `train pggan ${nets} ${phases} --data faces --kimg 0.012 --out grown`,
  );
  assertEquals([trained.code, trained.errors], [0, []], JSON.stringify(trained));
  for (const part of ["stabilising 4 px", "fading in 8 px", "in all"]) {
    assertStringIncludes(trained.out, part);
  }
  const run = join(temp, "grown", "00000-pggan-faces-8");
  const last = async () => {
    const lines = (await Deno.readTextFile(join(run, "stats.jsonl"))).trim().split("\n");
    const { images, resolution, alpha } = JSON.parse(lines.at(-1)!);
    return [images, resolution, alpha];
  };
  assertEquals(await last(), [12, 8, 3 / 8]);
  const resumed = await gan("train --resume latest --out grown --kimg 0.028");
  assertEquals([resumed.code, resumed.errors], [0, []], JSON.stringify(resumed));
  assertEquals(await last(), [28, 8, 1]);
  const sampled = "sample latest --out grown --interpolate --count 2 --stops 2 --frames 3";
  await byTwos([`${sampled} --to walk.png`, "timelapse latest --out grown"], async (line) => {
    const { code, errors } = await gan(line);
    assertEquals([code, errors], [0, []], line);
  });
  const made = [[join(temp, "walk.png"), 6], [join(run, "timelapse.png"), 1]] as const;
  for (const [path, frames] of made) {
    const file = await Deno.readFile(path);
    const text = new TextDecoder("latin1").decode(file);
    assertEquals(text.split("fcTL").length - 1, frames, path);
  }
});

Deno.test("what a run cannot go on from, or an image be made of or written to", async () => {
  const run = join(out, "00000-dcgan-faces-16"), checkpoint = "checkpoint-000000.safetensors";
  await copyRun(run, "none", (run) => Deno.remove(join(run, checkpoint)));
  await copyRun(run, "cut", (run) => Deno.truncate(join(run, checkpoint), 4000));
  await copyRun(run, "broken", (run) => Deno.truncate(join(run, "options.json"), 20));
  await copyRun(run, "wider", async (run) => {
    const path = join(run, "options.json"), options = JSON.parse(await Deno.readTextFile(path));
    await Deno.writeTextFile(path, JSON.stringify({ ...options, ngf: 4 }));
  });
  const resume = "train --out copies --resume";
  await assertRefused([
    [`${resume} none`, 1, "no checkpoint in", "none"],
    [`${resume} cut`, 1, checkpoint, "cut short"],
    [`${resume} wider`, 1, "options.json: ngf is 4, and 2 in the checkpoint", "cannot change"],
    [`${resume} broken`, 1, "cannot read", "options.json"],
    [`${resume} wider --batch 4`, 2, "--batch cannot change", "--kimg"],
    [`${resume} wider other`, 2, "run of dcgan"],
    ["sample none --out copies", 1, "no checkpoint in", "none"],
    ["sample cut --out copies", 1, checkpoint, "cut short"],
    ["sample wider --out copies", 1, checkpoint, "another network"],
    ["sample broken --out copies", 1, "cannot read", "options.json"],
    ["sample latest --checkpoint file", 1, "file", "cut short"],
    ["sample latest --attention", 2, "no attention in G", "gan train sagan"],
    ["sample latest --class cat", 2, "know of no classes", "train --conditional"],
    ["sample latest --attention --single", 2, "--attention", "no --single"],
    ["sample latest --points 1+1", 2, "add --attention"],
    ["sample latest --attention --points 16+0", 2, "--points 16+0", "16 pixels"],
    ["sample latest --to faces", 2, "--to faces is a folder", "--single"],
    ["sample latest --single --to faces", 2, "--to faces holds other images", "another folder"],
    ["sample latest --single --to file", 2, "--to file is a file", "folder"],
    ["sample latest --count 1000000", 2, "1000000 images of 16 pixels do not fit", "--single"],
    ["export card latest --to card --metrics none", 2, "none does not exist", "gan eval all"],
    ["trian", 2, "did you mean train?"],
    ["sampel", 2, "did you mean sample?"],
    ["train dcgan --data nowhere --dry-run", 1, "nowhere does not exist"],
    ["train dcgan --data empty --dry-run", 1, "empty holds no"],
    ["train dcgan --data faces --crop 16x16+9+0 --dry-run", 1, "crop 16x16+9+0", "20 x 20"],
    [
      "sample latest --to file/x.png",
      1,
      "file/x.png",
      "a part of that path is a file: choose another",
    ],
  ]);
  const left = [...await files(temp), ...await files(join(temp, "copies", "cut"))];
  assert(!left.some((name) => name.endsWith(".part")), String(left));
});

Deno.test("SAGAN trains, goes on, and shows where it looks", async () => {
  const options = `${NETS} --attention 8,4 --augment color --minibatch discrimination`;
  const trained = await gan(`train sagan ${options} --data faces --kimg 0.004 --out attending`);
  assertEquals([trained.code, trained.errors], [0, []], JSON.stringify(trained));
  const resumed = await gan("train --resume latest --out attending --kimg 0.006");
  assertEquals([resumed.code, resumed.errors], [0, []], JSON.stringify(resumed));
  const run = join(temp, "attending", "00000-sagan-faces-16");
  const lines = (await Deno.readTextFile(join(run, "stats.jsonl"))).trim().split("\n");
  const last = JSON.parse(lines.at(-1)!);
  for (const name of ["gamma/G.blocks.1", "entropy/D.blocks.0", "sigma/D.output"]) {
    assert(Number.isFinite(last[name]), `${name} is not in ${lines.at(-1)}`);
  }
  const shown = await gan(
    "sample latest --out attending --attention --points 3+4 --count 2 --json",
  );
  assertEquals([shown.code, shown.errors], [0, []], JSON.stringify(shown));
  const paths = shown.out.trim().split("\n").map((line) => JSON.parse(line).path);
  assertEquals(paths.map((path) => path.split("/").at(-1)), [
    "attention000000-seed0.png",
    "attention000000-seed0-blocks.1.attention.png",
  ]);
  for (const path of paths) assert((await Deno.stat(join(temp, path))).size > 100);
});

Deno.test("--version names the program as its checkpoints do, Deno and the device", async () => {
  const { code, out } = await gan("--version");
  assertEquals(code, 0);
  const [program, deno, webgpu] = out.trim().split("\n");
  assertEquals(program, `gan ${VERSION}`);
  assertStringIncludes(deno, `Deno ${Deno.version.deno}`);
  assert(/^WebGPU of Deno: \S/.test(webgpu) && !webgpu.includes("no device"), webgpu);
});

Deno.test("help, and a plan in JSON", async () => {
  const helps = await Promise.all(
    ["", ...Object.keys(recipes)].map((system) => gan(`train ${system} --help`)),
  );
  assertEquals(helps.map(({ code }) => code), helps.map(() => 0));
  const [general, dcgan, sagan] = helps.map(({ out }) => out),
    out = helps.map(({ out }) => out).join();
  const has = (help: string) =>
    ["ngf", "attention", "phase-kimg"].map((name) => help.includes(`  --${name} `));
  assertEquals([general, dcgan, sagan].map(has), [[false, false, false], [true, false, false], [
    true,
    true,
    false,
  ]]);
  assert(
    dcgan.includes("learning rate of D [0.0002]") &&
      sagan.includes("learning rate of D [0.0004]"),
  );
  const kebab = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
  const others = ["preset", "out", "resume", "dry-run", "device", "json", "debug", "help"];
  for (const name of [...Object.keys(defaults).map(kebab), ...others]) {
    assertStringIncludes(out, `  --${name}`);
  }
  const planned = await gan(
    `train dcgan ${NETS} --data faces --precision f16 --dry-run --json --out planned`,
  );
  assertEquals([planned.code, planned.errors], [0, []]);
  const { options, images } = JSON.parse(planned.out), { ngf, precision } = options;
  assertEquals([ngf, precision, images], [2, "f16", 5]);
  assert(!("fmapBase" in options), "an option of another system");
  assert(!(await files(temp)).includes("planned"), "a plan writes nothing");
});

// Open MPI's launcher sends SIGCONT first, and asks twice to end.
const STOPS: [Deno.Signal[], Record<string, string>][] = [
  [["SIGINT"], {}],
  [["SIGTERM", "SIGTERM"], { GAN_COMMAND: "./gan" }],
  [["SIGCONT", "SIGTERM"], { OMPI_COMM_WORLD_RANK: "0" }],
];
for (const [signals, env] of STOPS) {
  Deno.test({
    name: `${signals} writes a checkpoint and tells how to go on`,
    ignore: Deno.build.os === "windows",
    async fn() {
      const out = `stopped-${signals[0]}`, run = join(temp, out, "00000-dcgan-faces-16");
      const line = `train dcgan ${NETS} --data faces --kimg 1000 --out ${out}`;
      const child = start(line.split(" "), env), end_ = end(child);
      for (let i = 0; i < 300; i++) {
        if ((await files(run).catch(() => [] as string[])).includes("stats.jsonl")) break;
        await new Promise((resume) => setTimeout(resume, 100));
      }
      for (const signal of signals) child.kill(signal);
      const { code, out: said, errors } = await end_;
      assertEquals([code, errors], [130, []], said);
      const hint = `: ${env.GAN_COMMAND ?? "gan"} train --resume ${out}/00000-dcgan-faces-16`;
      assertStringIncludes(said, hint);
      assert(!said.includes("\x1b"), "a log has no commands for terminals");
      const left = await files(run);
      assert(left.some((name) => /^checkpoint-\d{6}\.safetensors$/.test(name)), String(left));
      assert(!left.some((name) => name.endsWith(".part")), String(left));
      const resumed = await gan(`train --resume ${out}/00000-dcgan-faces-16 --kimg 0.004`);
      assertEquals([resumed.code, resumed.errors], [0, []], JSON.stringify(resumed));
    },
  });
}

Deno.test({
  name: "who reads the progress and goes away, as `head` does, ends the run with a checkpoint",
  ignore: Deno.build.os === "windows",
  async fn() {
    const args = `train dcgan ${NETS} --data faces --kimg 1000 --out left --json`.split(" ");
    const child = start(args), reader = child.stdout.getReader();
    await reader.read();
    await reader.cancel();
    const [{ code }, errors] = await Promise.all([child.status, new Response(child.stderr).text()]);
    assertEquals([code, ownLines(errors)], [130, []]);
    const left = await files(join(temp, "left", "00000-dcgan-faces-16"));
    assert(left.some((name) => /^checkpoint-\d{6}\.safetensors$/.test(name)), String(left));
  },
});
