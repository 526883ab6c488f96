/** Runs that break down or lose their device, and what they do about it by themselves. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { persist } from "../cli/persist.ts";
import { GpuError } from "../gpu/errors.ts";
import { gpu } from "../gpu/gpu.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { loadMetadata } from "../io/safetensors.ts";
import { Progress } from "../run/progress.ts";
import { Reporter } from "../run/reporter.ts";
import {
  appendStats,
  checkpointPath,
  checkpointsIn,
  findCheckpoint,
  gridsOf,
  readStats,
} from "../run/run_folder.ts";
import { dcgan } from "../train/dcgan.ts";
import { BreakdownError, CollapseError } from "../train/errors.ts";
import { train } from "../train/loop.ts";
import { defaults, type TrainOptions } from "../train/options.ts";
import { loadState, newState, saveState, type State } from "../train/state.ts";
import { datasetOf } from "./dataset.ts";
import { assertSame, inFolder } from "./support.ts";
await openGpu();

const options: TrainOptions = {
  ...defaults,
  ...{ recipe: "dcgan", preset: "default", resolution: 16, batch: 4, nz: 8, ngf: 4, ndf: 4 },
  ...{ kimg: 0.016, snapshot: 0.004, keep: 2, onNan: "rollback" },
};

/** Trains in a folder; `meddle` comes after each step, before its snapshot, with the number of the attempt. */
async function trained(
  run: string,
  meddle: (state: State, attempt: number) => void | Promise<void> = () => {},
  own = options,
  start = newState(dcgan, own),
): Promise<{ said: string[]; complete: boolean; attempts: number }> {
  const said: string[] = [], dataset = datasetOf(own.resolution);
  const progress = new Progress({ style: "lines", write: (text) => said.push(text) });
  let attempts = 0;
  const attempt = async (state: State) => {
    const nth = ++attempts;
    using reporter = new Reporter({ state, dataset, run, progress });
    const observer = {
      begin: () => reporter.begin(),
      losses: reporter.losses.bind(reporter),
      stepped: async (step: Parameters<Reporter["stepped"]>[0]) => {
        await meddle(state, nth);
        await reporter.stepped(step);
      },
      end: () => reporter.end(),
    };
    return await train({ state, dataset, observer });
  };
  const complete = await persist(start, {
    ...{ run, progress, attempt },
    reopen: async () => void await openGpu(),
  });
  return { said, complete, attempts };
}

async function poison({ D }: State): Promise<void> {
  const [weight] = D.parameters();
  weight.write((await weight.read()).fill(NaN, 0, 1));
}

const last = async (run: string) => await Deno.readFile(await findCheckpoint(run));

Deno.test("a run that breaks down goes back to its last checkpoint and on with other random numbers", () =>
  inFolder((run) =>
    inFolder(async (other) => {
      const { said, complete, attempts } = await trained(run, async (state, attempt) => {
        if (attempt > 1 || state.images < 12) return;
        // Of the branch that is given up nothing stays.
        await appendStats(run, { images: 11 });
        await Deno.writeTextFile(join(run, "fakes000000.011.png"), "");
        await poison(state);
      });
      assertEquals([complete, attempts], [true, 2]);
      const text = said.join("");
      assertStringIncludes(text, "D.blocks.0.conv.weight holds NaN");
      assertStringIncludes(text, "Going on from ");
      assertEquals((await loadMetadata(await findCheckpoint(run))).rollbacks, "1");
      assertEquals((await readStats(run)).map(({ images }) => images), [4, 8, 12, 16]);
      assertEquals((await gridsOf(run)).map(({ kimg }) => 1000 * kimg), [4, 8, 12, 16]);
      // The same once more: unbroken up to there, and from there with the second numbers.
      await trained(other, () => {}, { ...options, kimg: 0.008 });
      const state = newState(dcgan, options);
      await loadState(state, await findCheckpoint(other));
      const plain = newState(dcgan, options);
      await loadState(plain, await findCheckpoint(other));
      state.rollbacks = 1;
      await trained(other, () => {}, options, state);
      assertSame(await last(run), await last(other), "the last checkpoint");
      await trained(other, () => {}, options, plain);
      const [a, b] = [await last(run), await last(other)];
      assert(a.some((byte, i) => byte !== b[i]), "the numbers are not others");
    })
  ));

Deno.test("a run that breaks down again and again ends, and its last good checkpoint stays", () =>
  inFolder(async (run) => {
    let attempts = 0, good: Uint8Array | undefined;
    const meddle = async (state: State, attempt: number) => {
      attempts = attempt;
      if (state.images !== 12) return;
      good ??= await last(run);
      await poison(state);
    };
    const { message } = await assertRejects(() => trained(run, meddle), BreakdownError);
    assertEquals(attempts, 4);
    assertStringIncludes(message, "D.blocks.0.conv.weight");
    assertEquals((await checkpointsIn(run)).length, 2);
    assertSame(await last(run), good!, "the checkpoint");
    // By default it ends at once.
    const own = { ...options, onNan: "stop" };
    await assertRejects(() => trained(run, meddle, own), BreakdownError);
    assertEquals(attempts, 1);
  }));

Deno.test("a run whose device is lost goes on with another, bit for bit, and ends at the second loss", () =>
  inFolder(async (folder) => {
    const run = (name: string) => {
      Deno.mkdirSync(join(folder, name));
      return join(folder, name);
    };
    const whole = run("whole");
    await trained(whole);
    const lose = (images: number, most: number) => async (state: State, attempt: number) => {
      if (state.images !== images || attempt > most) return;
      gpu().device.destroy();
      await gpu().device.lost;
    };
    const once = run("once");
    const { said, complete, attempts } = await trained(once, lose(12, 1));
    assertEquals([complete, attempts], [true, 2], said.join(""));
    assertStringIncludes(said.join(""), "Device lost (");
    assertSame(await last(once), await last(whole), "the last checkpoint");
    const twice = run("twice");
    await assertRejects(() => trained(twice, lose(12, 2)), GpuError, "Device lost (");
    await openGpu();
    const state = newState(dcgan, options);
    await loadState(state, await findCheckpoint(twice));
    assertEquals(state.images, 8);
  }));

Deno.test("a run whose device is lost before its first checkpoint begins anew", () =>
  inFolder(async (run) => {
    const own = { ...options, snapshot: 1 };
    const { said, complete } = await trained(run, (state, attempt) => {
      if (state.images === 8 && attempt === 1) gpu().device.destroy();
    }, own);
    assert(complete);
    assertStringIncludes(said.join(""), "Starting anew");
  }));

Deno.test("a run whose images become alike ends, or goes back, and keeps no checkpoint of them", () =>
  inFolder(async (folder) => {
    // A generator that learns nothing makes grey images, all alike.
    const grey = { lrG: 1e-9, resolution: 8, batch: 64, mirror: false, onNan: "stop" };
    const own = { ...options, ...grey, kimg: 25.6, snapshot: 0.8 };
    const run = async (onCollapse: string) => {
      const path = join(folder, onCollapse);
      await Deno.mkdir(path);
      const start = newState(dcgan, { ...own, onCollapse });
      start.images = 24_800; // before, images may well be alike
      await saveState(start, checkpointPath(path, start.images, own.snapshot));
      let attempts = 0;
      const count = (_: State, attempt: number) => void (attempts = attempt);
      const ended = trained(path, count, start.options, start);
      return { path, ended, attempts: () => attempts };
    };
    const on = await run("continue");
    assertEquals((await on.ended).complete, true);
    assertEquals((await checkpointsIn(on.path)).length, 2);
    const stopped = await run("stop");
    await assertRejects(() => stopped.ended, CollapseError, "images are alike");
    assertEquals([(await checkpointsIn(stopped.path)).length, stopped.attempts()], [1, 1]);
    const back = await run("rollback");
    await assertRejects(() => back.ended, CollapseError, "images are alike");
    assertEquals([(await checkpointsIn(back.path)).length, back.attempts()], [1, 4]);
  }));
