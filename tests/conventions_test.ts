/** `gan eval --like`: other tools' numbers; the truth is in tests/oracle/conventions.py. */
import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { UsageError } from "../cli/errors.ts";
import { evalCommand } from "../cli/eval.ts";
import type { Image } from "../data/image.ts";
import { savePng } from "../data/png.ts";
import { conventionsOf } from "../eval/conventions.ts";
import { EvalError } from "../eval/errors.ts";
import { type ImageSet, statisticsOf } from "../eval/extract.ts";
import { frechetDistance } from "../eval/frechet.ts";
import { weightsOf } from "../eval/files/weights.ts";
import { type Feature, Inception } from "../models/inception.ts";
import { saveSafetensors } from "../io/safetensors.ts";
import { bytes, entry, images } from "./conventions_fixture.ts";
import { narrowInception } from "./drawn_inception.ts";
import { openGpu } from "../gpu/engines/deno.ts";
await openGpu();

const folder = await Deno.makeTempDir();
const weights = join(folder, "narrow.safetensors");
await saveSafetensors(weights, narrowInception());
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

const tall = images("tall"), wide = images("wide");

/** Writes images under their numbers, or other names. */
async function write(
  name: string,
  images: readonly Image[],
  nameOf = (i: number) => `${String(i).padStart(3, "0")}.png`,
): Promise<string> {
  for (const [i, image] of images.entries()) await savePng(join(folder, name, nameOf(i)), image);
  return join(folder, name);
}

async function lines(...args: string[]): Promise<string[]> {
  const found: string[] = [], given = ["--weights", weights, "--out", join(folder, "runs")];
  assertEquals(await evalCommand([...args, ...given], (line) => found.push(line)), 0);
  return found;
}
const evaluate = async (...args: string[]) => JSON.parse((await lines(...args, "--json"))[0]);

for (const feature of ["64", "192", "768"] satisfies Feature[]) {
  Deno.test(`images that are not square, feature ${feature}: each tool's distance`, async () => {
    const net = new Inception(weightsOf(narrowInception(), "narrow"), feature);
    const set = (all: readonly Image[]): ImageSet => ({
      count: all.length,
      async *images() {
        yield* all;
      },
    });
    for (const tool of ["pytorch-fid", "clean-fid", "torch-fidelity"] as const) {
      const { stage } = conventionsOf(tool);
      const a = await statisticsOf(net, set(tall), { stage });
      const b = await statisticsOf(net, set(wide), { stage, batch: 5 });
      const [truth] = entry(`fid/${tool}/${feature}`).data as Float32Array;
      assertAlmostEquals(frechetDistance(a, b), truth, 1e-4 * truth);
    }
  });
}

Deno.test("files to each tool's distance by the command line, pytorch-fid's by default", async () => {
  const real = await write("tall", tall), fake = await write("wide", wide);
  const args = ["fid", "--real", real, "--fake", fake, "--feature", "64"];
  for (const tool of ["pytorch-fid", "clean-fid", "torch-fidelity", undefined]) {
    const report = await evaluate(...args, ...(tool ? ["--like", tool] : []));
    const [truth] = entry(`fid/${tool ?? "pytorch-fid"}/64`).data as Float32Array;
    assertAlmostEquals(report.value, truth, 1e-4 * truth);
    assert(report.like.startsWith(tool ?? "pytorch-fid"), report.like);
    assertEquals([report.real.sizes, report.fake.sizes], [{ "11 x 18": 24 }, { "20 x 12": 24 }]);
    assert(report.notes.some((note: string) => /11 x 18, fakes 20 x 12.*FID-768 by/.test(note)));
  }
  const over = await evaluate(...args, "--like", "stylegan3");
  const torch = await evaluate(...args, "--like", "torch-fidelity");
  assert(Math.abs(over.value - torch.value) > 1e-3 * torch.value, "covariances over N");
});

Deno.test("saved statistics know their images and how those were resized", async () => {
  const real = await write("tall", tall), fake = await write("wide", wide);
  const npz = join(folder, "clean.npz"), like = ["--like", "clean-fid", "--feature", "64"];
  const args = ["fid", "--fake", fake, ...like];
  const direct = await evaluate(...args, "--real", real, "--save-stats", npz);
  const again = await evaluate(...args, "--real", npz);
  assertEquals([again.value, again.n_real, again.real.sizes], [direct.value, 24, {
    "11 x 18": 24,
  }]);
  assertEquals(again.notes, direct.notes);
  await assertRejects(
    () => evaluate("fid", "--real", npz, "--fake", fake, "--feature", "64"),
    EvalError,
    "resized in another way (bicubic) than pytorch-fid does (bilinear)",
  );
});

Deno.test("a folder of mixed sizes gives the same whichever image is first, and is told", async () => {
  const mixed = [...tall.slice(0, 9), ...wide.slice(0, 2)], fake = await write("others", wide);
  const first = await write("first", mixed);
  const last = await write("last", mixed.toReversed());
  const [a, b] = await Promise.all(
    [first, last].map((real) => evaluate("fid", "--real", real, "--fake", fake, "--feature", "64")),
  );
  assertAlmostEquals(a.value, b.value, 1e-6 * a.value);
  assert(a.notes.some((n: string) => n.includes("images of 2 sizes, 11 x 18 (9) 20 x 12 (2)")));
});

Deno.test("each tool's choice of files", async () => {
  const names = ["a.png", "b.PNG", "sub/c.png", "d.png", ".hidden.png"];
  const made = await write("files", tall.slice(0, 5), (i) => names[i]);
  const count = async (...like: string[]) => {
    const report = await evaluate(
      "fid",
      "--real",
      made,
      "--fake",
      made,
      "--feature",
      "64",
      ...like,
    );
    assertEquals([report.value, report.n_real], [0, report.n_fake]);
    return [report.n_fake, report.notes.filter((n: string) => /leave/.test(n)).length];
  };
  assertEquals(await count(), [4, 1]); // once, as both sides are one folder
  assertEquals(await count("--like", "pytorch-fid"), [3, 1]); // a, d, .hidden
  assertEquals(await count("--like", "clean-fid"), [4, 0]); // a, b, c, d
  assertEquals(await count("--like", "torch-fidelity"), [4, 1]); // a, b, d, .hidden
  await Deno.writeTextFile(join(made, "e.bmp"), "");
  await assertRejects(() => count("--like", "pytorch-fid"), EvalError, "cannot, first e.bmp");
  assertEquals(await count("--like", "torch-fidelity"), [4, 1]);
});

Deno.test("pixels are Pillow's: alpha is dropped, and that is told", async () => {
  await write("plain", images("png/alpha8/rgb").concat(images("png/grey16/rgb")));
  await Deno.mkdir(join(folder, "unusual"));
  await Deno.writeFile(join(folder, "unusual", "0.png"), bytes("png/alpha8"));
  await Deno.writeFile(join(folder, "unusual", "1.png"), bytes("png/grey16"));
  const [real, fake] = ["plain", "unusual"].map((name) => join(folder, name));
  const report = await evaluate("fid", "--real", real, "--fake", fake, "--feature", "64");
  assertEquals(report.value, 0);
  assert(report.notes.some((n: string) => n.startsWith("alpha in 1 of unusual's images")));
  assert(report.notes.some((n: string) => n.startsWith("16 bits in 1 of unusual's images")));
});

Deno.test("the floor is measured where there are twice as many real images, and kept", async () => {
  const real = await write("many", [...tall, ...wide]), fake = await write("few", tall.slice(0, 8));
  const args = ["fid", "--real", real, "--fake", fake, "--feature", "64"];
  const { floor } = await evaluate(...args);
  assertEquals([floor.n, floor.from], [8, "data"]);
  assert(floor.value > 0);
  assertEquals((await evaluate(...args)).floor, floor);
  // Another number of images: statistics are there, this floor is not.
  const other = await evaluate(...args, "--samples", "6");
  assertEquals([other.floor.n, other.floor.from, other.floor.value === floor.value], [
    6,
    "data",
    false,
  ]);
  assert((await lines(...args))[1].includes("8 per side"));
  const few = await evaluate("fid", "--real", fake, "--fake", real, "--feature", "64");
  assertEquals(few.floor, null);
});

Deno.test("KID: subsets as the tool draws them; a single one has no deviation", async () => {
  const real = await write("tall", tall), fake = await write("wide", wide);
  const args = ["kid", "--real", real, "--fake", fake, "--feature", "64"];
  const drawn = ["--subset-size", "10", "--subsets", "5"];
  const torch = await evaluate(...args, "--like", "torch-fidelity", ...drawn);
  assertEquals([torch.size, torch.subsets, torch.draws], [10, 5, "RandomState(2020)"]);
  assert(torch.deviation > 0);
  const seeded = await evaluate(...args, "--like", "torch-fidelity", ...drawn, "--seed", "1");
  assert(seeded.value !== torch.value && seeded.draws === "RandomState(1)");
  const [head] = await lines(...args);
  assert(/^KID-64 \S+$/.test(head), head);
  assertEquals((await evaluate(...args)).deviation, undefined);
  await assertRejects(
    () => evaluate(...args, "--like", "torch-fidelity"),
    EvalError,
    "has 24 images, fewer than a subset of 1000",
  );
});

Deno.test("precision and recall: k, and what a tool has of the four", async () => {
  const real = await write("tall", tall), args = ["pr", "--real", real, "--fake", real];
  const own = await evaluate(...args, "--feature", "64");
  assertEquals([own.k, own.density_k], [3, 5]);
  assertEquals([own.precision, own.recall, own.density, own.coverage], [1, 1, 1, 1]);
  const two = await evaluate(...args, "--feature", "64", "--k", "2");
  assertEquals([two.k, two.density_k, two.density], [2, 2, 1]);
  const prdc = await evaluate(...args, "--feature", "64", "--like", "prdc");
  assertEquals([prdc.k, prdc.density_k, prdc.precision], [5, 5, 1]);
  const torch = await evaluate(...args, "--feature", "64", "--like", "torch-fidelity");
  assertEquals([torch.k, torch.precision, "density" in torch], [3, 1, false]);
  await assertRejects(() => evaluate(...args, "--feature", "64", "--k", "24"), EvalError, "--k");
});

Deno.test("the Inception Score says its order", async () => {
  const fake = await write("tall", tall), args = ["is", "--fake", fake];
  const own = await evaluate(...args), other = await evaluate(...args, "--like", "stylegan3");
  assertEquals([own.order, other.order], [
    "shuffled by RandomState(2020), as torch-fidelity does",
    "of the files",
  ]);
  assertEquals(own.like, "pytorch-fid 0.3.0 (b9c1811), its input only");
  assertEquals(other.like, "StyleGAN3 (c233a91)");
});

Deno.test("what a tool does not have, and sets that are too small, are refused by name", async () => {
  const one = await write("one", tall.slice(0, 1)), real = await write("tall", tall);
  await assertRejects(
    () => evaluate("kid", "--real", real, "--fake", real, "--like", "pytorch-fid"),
    UsageError,
    "it has no kid; choose one of clean-fid, torch-fidelity, stylegan3",
  );
  await assertRejects(
    () => evaluate("fid", "--real", real, "--fake", one, "--feature", "64"),
    EvalError,
    "one holds 1 usable image, expected at least 2",
  );
  await assertRejects(
    () => evaluate("fid", "--real", real, "--fake", real, "--resize", "area"),
    UsageError,
    "--resolution",
  );
});
