/** Runs on gray images, and on images with alpha: from files to networks and back to files. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "@std/path";
import png from "imagescript/png/node.js";
import { dataCommand } from "../cli/data.ts";
import { evalCommand } from "../cli/eval.ts";
import { recipeOf } from "../cli/recipes.ts";
import { optionsOf } from "../cli/run_options.ts";
import { sampleCommand } from "../cli/sample.ts";
import { timelapseCommand } from "../cli/timelapse.ts";
import { trainCommand } from "../cli/train.ts";
import { decode } from "../data/decode.ts";
import { CHANNELS, type Channels } from "../data/image.ts";
import type { Dataset } from "../data/pack.ts";
import { savePng } from "../data/png.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { saveSafetensors } from "../io/safetensors.ts";
import { findCheckpoint } from "../run/run_folder.ts";
import { scoped } from "../tensor/tensor.ts";
import { advance } from "../train/advance.ts";
import { diagnose } from "../train/diagnose.ts";
import { TrainError } from "../train/errors.ts";
import { train } from "../train/loop.ts";
import type { TrainOptions } from "../train/options.ts";
import { presetOptions } from "../train/recipe.ts";
import { samples } from "../train/sampling.ts";
import { grow, loadGenerator, loadState, newState, saveState } from "../train/state.ts";
import { narrowInception } from "./drawn_inception.ts";
import { assertSame, inFolder } from "./support.ts";
await openGpu();

/** Noise of three classes, `channels` channels and R pixels a side. */
function noise(R: number, channels: 1 | 3 | 4): Dataset {
  const count = 9, labels = { classes: ["a", "b", "c"], of: new Uint16Array(count).fill(1) };
  const pixels = Uint8Array.from(
    { length: count * R * R * channels },
    (_, i) => Math.imul(i + 1, 0x9e3779b1) >>> 24,
  );
  return { name: "noise", count, resolution: R, channels, pixels, hash: "", broken: [], labels };
}

const small = {
  ...{ resolution: 8, batch: 4, nz: 8, kimg: 1, augment: "color,translation,cutout" },
  ...{ ngf: 8, ndf: 8, fmapBase: 64, fmapMax: 16 },
};
const systems: readonly [string, Partial<TrainOptions>][] = [
  ["dcgan", {}],
  ["sagan", { attention: "4", conditional: true, classes: "a,b,c" }],
  ["pggan", { phaseKimg: 0.008, lastKimg: 0.008, gp: 10, loss: "wgan" }],
  ["r3gan", { conditional: true, classes: "a,b,c" }],
];

for (const [system, more] of systems) {
  for (const channels of ["gray", "rgba"] as const) {
    Deno.test(`${system}, ${channels}: a resumed run is the unbroken run, and makes such images`, () =>
      inFolder(async (folder) => {
        const recipe = recipeOf(system), C = CHANNELS[channels];
        const options = { ...presetOptions(recipe, "small"), ...small, ...more, channels };
        const run = async (name: string, from: string | undefined, n: number) => {
          const state = newState(recipe, options);
          if (from) await loadState(state, join(folder, from));
          for (let i = 0; i < n; i++) {
            grow(state);
            scoped(() => void advance(state, noise(state.stage.resolution, C)));
          }
          await saveState(state, join(folder, name));
          return { state, bytes: Deno.readFileSync(join(folder, name)) };
        };
        // PGGAN fades in at the fourth step.
        await run("half", undefined, 3);
        const { state, bytes } = await run("whole", undefined, 5);
        assertSame((await run("resumed", "half", 2)).bytes, bytes, "the checkpoint");
        const { G } = await loadGenerator(recipe, options, join(folder, "whole"));
        let size = 0;
        for await (const { bytes } of samples(G, options, 6, 0)) size += bytes.length;
        assertEquals(size, 6 * 64 * C);
        const pixels = noise(8, C).pixels as Uint8Array<ArrayBuffer>,
          images = { pixels, n: 9, R: 8 };
        assertEquals((await diagnose(state, images, images))["diversity/pixels"], 1);
      }));
  }
}

Deno.test("images of other channels than the run's are refused in a sentence", async () => {
  const options = { ...presetOptions(recipeOf("dcgan"), "small"), ...small, channels: "gray" };
  const state = newState(recipeOf("dcgan"), options);
  const says = "train: the run has images of 1 channel, noise of 3: open it with --channels gray";
  await assertRejects(() => train({ state, dataset: noise(8, 3) }), TrainError, says);
  assertThrows(() => advance(state, noise(8, 4)), RangeError);
});

const R = 8, folder = await Deno.makeTempDir(), data = join(folder, "sprites");
globalThis.addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

/** Red disks on nothing, at places that differ. */
async function sprites(): Promise<void> {
  for (let n = 0; n < 6; n++) {
    const pixels = new Uint8Array(R * R * 4);
    for (let i = 0; i < R * R; i++) {
      const far = (i % R - 2 - n % 4) ** 2 + (Math.floor(i / R) - 4) ** 2;
      pixels.set(far < 6 ? [250, 20 * n, 10, 255] : [0, 255, 0, 0], 4 * i);
    }
    await savePng(join(data, `${n}.png`), { width: R, height: R, data: pixels, step: 4 });
  }
}
await sprites();

/** What a command prints. */
async function said(
  command: (args: string[], print: (line: string) => void) => Promise<number>,
  line: string,
): Promise<string[]> {
  const lines: string[] = [];
  assertEquals(await command(line.split(" "), (text) => lines.push(text)), 0, line);
  return lines;
}

/** Color type in the header of a PNG: 0 gray, 2 color, 6 color and alpha. */
async function colorType(path: string): Promise<number> {
  return (await Deno.readFile(path))[25];
}

for (const [channels, type] of [["gray", 0], ["rgba", 6]] as const) {
  Deno.test(`${channels}: from files to a run, its grids, samples, timelapse and evaluation`, async () => {
    const out = join(folder, channels), nets = `--resolution ${R} --batch 2 --ngf 2 --ndf 2 --nz 2`;
    const how = `--preset small ${nets} --channels ${channels} --augment color,cutout --json`;
    const end = `--kimg 0.008 --snapshot 0.004 --no-autotune --out ${out}`;
    await said(trainCommand, `dcgan --data ${data} ${how} ${end}`);
    const run = join(out, "00000-dcgan-sprites-8"), options = await optionsOf(run);
    assertEquals(options.channels, channels);
    for (const name of ["reals.png", "fakes000000.008.png"]) {
      assertEquals(await colorType(join(run, name)), type, name);
    }
    // What is transparent is there, and colors that nobody sees are black.
    const reals = png.decode(await Deno.readFile(join(run, "reals.png"))).pixels as Uint8Array;
    assertEquals(
      [...reals.subarray(0, 4)],
      channels === "gray" ? [255, 255, 255, 255] : [0, 0, 0, 0],
    );
    const [grid] = await said(sampleCommand, `${run} --count 4`);
    const [single] = await said(sampleCommand, `${run} --count 2 --single`);
    const [walk] = await said(sampleCommand, `${run} --interpolate --count 1 --frames 2 --stops 2`);
    const [lapse] = await said(timelapseCommand, run);
    for (const path of [grid, join(single, "000001.png"), walk, lapse]) {
      assertEquals(await colorType(path), type, path);
    }
    const weights = join(folder, "narrow.safetensors");
    await saveSafetensors(weights, narrowInception());
    const few = `--samples 6 --feature 64 --weights ${weights}`;
    const shown = await said(evalCommand, `fid --run ${run} ${few}`);
    const seen = channels === "gray"
      ? "channels gray as three equal ones"
      : "channels rgba laid on white";
    assertEquals(shown.filter((line) => line.includes(seen)).length, 2, shown.join("\n"));
    // The real images are those that the run saw: a copy of them, as evaluation sees it, has distance 0.
    const copy = join(folder, `${channels}-copy`);
    for (let n = 0; n < 6; n++) {
      const sprite = decode(await Deno.readFile(join(data, `${n}.png`)));
      const gray = sprite.rgb.map((_, i) => {
        const [red, green, blue] = sprite.rgb.subarray(i - i % 3, i - i % 3 + 3);
        return (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16;
      });
      await savePng(
        join(copy, `${n}.png`),
        channels === "gray" ? { ...sprite, rgb: gray } : sprite,
      );
    }
    const twice = `fid --run ${run} --fake ${copy} --crop none --json ${few}`;
    const [report] = await said(evalCommand, twice);
    assert(JSON.parse(report).value < 1e-6, report);
    // It goes on as it was, and not as anything else.
    await said(trainCommand, `--resume ${run} --kimg 0.012 --json --no-autotune`);
    const other = channels === "gray" ? "rgb" : "gray";
    await assertRejects(
      () => said(trainCommand, `--resume ${run} --channels ${other}`),
      Error,
      "--channels",
    );
    const { G } = await loadGenerator(recipeOf("dcgan"), options, await findCheckpoint(run));
    assertEquals(
      [...G.named()].find(([name]) => name === "output.weight")![1].shape[2],
      type === 0 ? 1 : 4,
    );
  });
}

Deno.test("gan data makes a sheet of the channels that a run would see", async () => {
  for (const channels of Object.keys(CHANNELS) as Channels[]) {
    const sheet = join(folder, `${channels}.png`);
    const how = `--resolution ${R} --channels ${channels} --sheet ${sheet} --out ${folder}`;
    const lines = await said(dataCommand, `${data} ${how}`);
    assert(
      lines.some((line) => line.includes(`.${channels}8, `)),
      lines.join("\n"),
    );
    assertEquals(await colorType(sheet), { gray: 0, rgb: 2, rgba: 6 }[channels]);
  }
});
