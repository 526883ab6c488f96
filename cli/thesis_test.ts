/** `gan thesis` with real runs that are tiny: 16 images of 8 pixels, 0.1 kimg, no Inception. */
import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { savePng } from "../data/png.ts";
import { GIVEN } from "../tests/support.ts";
import { UsageError } from "./errors.ts";
import { thesisCommand, type Train } from "./thesis.ts";
import { experiments } from "./thesis/experiments.ts";
import { madeIn } from "./thesis/runs.ts";
import { trainCommand } from "./train.ts";

const SCALE = "--kimg 0.1 --seeds 1 --resolution 8 --batch 4 --width 4 --samples 0".split(" ");

let temp: string, to: string, scale: string[];

Deno.test.beforeAll(async () => {
  temp = await Deno.makeTempDir();
  to = join(temp, "thesis");
  for (let i = 0; i < 16; i++) {
    const rgb = Uint8Array.from({ length: 8 * 8 * 3 }, (_, j) => j * (7 + i));
    await savePng(join(temp, "noise", `${i}.png`), { width: 8, height: 8, rgb });
  }
  scale = [...SCALE, "--data", join(temp, "noise")];
});

Deno.test.afterAll(() => Deno.remove(temp, { recursive: true }));

/** The command in this process; returns its exit code and what it prints. */
async function thesis(args: string[], train: Train): Promise<{ code: number; lines: string[] }> {
  const lines: string[] = [];
  return { code: await thesisCommand(args, (line) => lines.push(line), train), lines };
}

const refuse: Train = (args) => {
  throw new Error(`there is nothing to train: ${args.join(" ")}`);
};

Deno.test("--help teaches, and without a name experiments are listed", async () => {
  const help = (await thesis(["--help"], refuse)).lines.join("\n");
  for (const part of ["gan thesis all", "--kimg", "--seeds", "--report", "--to", "[runs/thesis]"]) {
    assertStringIncludes(help, part);
  }
  const { code, lines } = await thesis(["--to", to], refuse);
  assertEquals(code, 0);
  for (const { name } of experiments) assertStringIncludes(lines.join("\n"), `  ${name} `);
});

Deno.test("a command that cannot be followed says what to do", async () => {
  for (
    const [args, says] of [
      ["systms", "did you mean systems?"],
      ["--kimg 3", "--kimg: name experiments to train, or all"],
      ["systems --seeds 0", "--seeds 0"],
    ]
  ) {
    const words = [...args.split(" "), "--to", to];
    const { message } = await assertRejects(() => thesis(words, refuse), UsageError);
    assertStringIncludes(message, says);
  }
});

Deno.test("a run that failed does not end the others; an interrupted one goes on, and none is repeated", async () => {
  const seen: string[][] = [];
  const first: Train = async (args) => {
    seen.push(args);
    const words = [...args, "--json"];
    if (args[0] === "dcgan") {
      await trainCommand(words, () => {});
      await Deno.remove(join(to, "00000-dcgan-noise-8", "checkpoint-000000.100.safetensors"));
      return 1;
    }
    // As if it had been stopped half-way.
    const half = words.map((word, i) => words[i - 1] === "--kimg" ? "0.05" : word);
    assertEquals(await trainCommand(half, () => {}), 0);
    const path = join(to, "00001-sagan-noise-8", "options.json");
    const text = await Deno.readTextFile(path);
    await Deno.writeTextFile(path, text.replace('"kimg": 0.05', '"kimg": 0.1'));
    return 1;
  };
  const failed = await thesis(["systems", ...scale, "--to", to], first);
  assertEquals([failed.code, seen.length], [1, 2]);

  const never = await thesis(["ttur", "--to", to], () => Promise.resolve(2));
  assertEquals([never.code, never.lines.filter((line) => line.includes("did not begin")).length], [
    2,
    1,
  ]);

  const again: string[][] = [];
  const train: Train = (args) => {
    again.push(args);
    return trainCommand([...args, "--json"], () => {});
  };
  const { code, lines } = await thesis(["systems", "--to", to], train); // at the scale that is kept
  assertEquals(code, 0);
  assertEquals(again.map(([word]) => word), ["dcgan", "--resume"]);
  assertEquals(lines.slice(-2), [
    `Wrote ${join(to, "thesis.md")}`,
    `Wrote ${join(to, "thesis.html")}`,
  ]);

  const third = await thesis(["systems", "--to", to], refuse);
  assertEquals(third.code, 0);
  assertEquals(third.lines.filter((line) => line.endsWith("is finished")).length, 2);
});

Deno.test("Ctrl-C ends all; the same command goes on", async () => {
  const seen: string[][] = [];
  const stopped: Train = (args) => {
    seen.push(args);
    return Promise.resolve(130);
  };
  const { code } = await thesis(["spectral-norm", "--to", to], stopped);
  assertEquals(
    [code, seen.length],
    [130, 1],
    "SAGAN is there; without spectral norm it was stopped",
  );
});

Deno.test({
  name: "asked to end, the program ends the run's process, which leaves a checkpoint",
  ignore: Deno.build.os === "windows",
  async fn() {
    const root = join(import.meta.dirname!, ".."), own = join(temp, "asked");
    const long = scale.map((word, i) => scale[i - 1] === "--kimg" ? "500" : word);
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", ...GIVEN, "--config", join(root, "deno.json"), join(root, "main.ts"), "thesis"]
        .concat("systems", ...long, "--to", own),
      ...{ cwd: temp, stdin: "null", stdout: "null", stderr: "null" },
    }).spawn();
    for (let i = 0; i < 600 && ![...await madeIn(own)].some(([, { stats }]) => stats.length); i++) {
      await new Promise((resume) => setTimeout(resume, 100));
    }
    child.kill("SIGTERM");
    assertEquals((await child.status).code, 130);
    const [run] = (await madeIn(own)).values();
    assertEquals(run.state, "stopped");
  },
});

Deno.test("the report tells of every experiment, from the runs alone", async () => {
  const page = join(to, "page");
  assertEquals((await thesis(["--report", "--to", to, "--page", page], refuse)).code, 0);
  const text = await Deno.readTextFile(join(page, "thesis.md"));
  const html = await Deno.readTextFile(join(page, "thesis.html"));
  for (const { name, about, claims } of experiments) {
    assertStringIncludes(text, `## ${name}: ${about}`);
    assertStringIncludes(html, `<h2>${name}: `);
    for (const { says } of claims) assertStringIncludes(text, says);
  }
  assertStringIncludes(text, "runs finished | 2 of 36");
  assertStringIncludes(text, "--data noise"); // not where it lies
  for (const words of SCALE) assertStringIncludes(text, words);
  for (const part of [/hash `\w{64}`/, /device \| \w+/, /dates \| 20\d\d-/, /version \d/]) {
    assertEquals(part.test(text), true, `${part}`);
  }
  const files = await Array.fromAsync(Deno.readDir(join(page, "thesis")), ({ name }) => name);
  for (const name of ["systems.svg", "systems-dcgan.png", "systems-sagan.png"]) {
    assertEquals(files.includes(name), true, name);
    assertStringIncludes(html, `src="thesis/${name}"`);
  }
});
