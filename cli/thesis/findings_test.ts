import { assertEquals, assertStringIncludes } from "@std/assert";
import { ablations } from "./ablations.ts";
import { experiments } from "./experiments.ts";
import { findingOf } from "./findings.ts";
import { measuresOf } from "./measures.ts";
import { jobOf, type Scale } from "./plan.ts";
import type { Made } from "./runs.ts";

const SCALE: Scale = { kimg: 16, seeds: 3, batch: 16, samples: 100, feature: "768" };
const [systems, spectral] = experiments;

/** Runs of both variants, with these numbers at their ends. */
function made(scale: Scale, ends: Readonly<Record<string, readonly object[]>>): Map<string, Made> {
  const experiment = "dcgan" in ends ? systems : spectral;
  return new Map(
    Object.entries(ends).flatMap(([name, all]) =>
      all.map((end, seed) => {
        const images = 1000 * scale.kimg!;
        const stats = [1, 2, 3, 4].map((n) => ({ images: images * n / 4, g: n, ...end }));
        const { key } = jobOf(experiment, experiment.variants[name], seed, scale);
        return [key, { folder: name, state: "finished", images, stats, metadata: {} } as Made];
      })
    ),
  );
}

const fid = (...values: number[]) => values.map((value) => ({ "FID-768": value }));

function verdict(scale: Scale, runs: Map<string, Made>, experiment = systems) {
  return findingOf(experiment, scale, runs, measuresOf(scale.feature)).judged[0].verdict;
}

Deno.test("runs give a verdict, unless they are short or of another size", () => {
  const ends = { dcgan: fid(2, 2.1, 2.2), sagan: fid(1, 1.1, 1.2) };
  assertEquals(verdict(SCALE, made(SCALE, ends)).word, "agrees");
  const turned = { dcgan: ends.sagan, sagan: ends.dcgan };
  assertEquals(verdict(SCALE, made(SCALE, turned)).word, "disagrees");

  const short = { ...SCALE, kimg: 15 }, early = verdict(short, made(short, ends));
  assertEquals(early.word, "cannot be told");
  assertStringIncludes(early.why, "after 938 steps of G");

  const small = { ...SCALE, resolution: 16 }, other = verdict(small, made(small, ends));
  assertEquals(other.word, "cannot be told");
  assertStringIncludes(other.why, "measured at 16 pixels, and the claim is about 32");
});

Deno.test("what has no finished runs is not run yet", () => {
  assertEquals(verdict(SCALE, new Map()).word, "not run yet");
  const stopped = made(SCALE, { dcgan: fid(2, 2.1, 2.2), sagan: fid(1, 1.1, 1.2) });
  for (const [key, run] of stopped) stopped.set(key, { ...run, state: "stopped" });
  assertEquals(verdict(SCALE, stopped).word, "not run yet");
});

Deno.test("of a question of ours, each variant is compared with one", () => {
  const runs = new Map<string, Made>(), images = 1000 * SCALE.kimg!;
  const end = (name: string, values: readonly number[]) => {
    for (const [seed, value] of values.entries()) {
      const { key } = jobOf(ablations, ablations.variants[name], seed, SCALE);
      const stats = [{ images, "FID-768": value }];
      runs.set(key, { folder: name, state: "finished", images, stats, metadata: {} });
    }
  };
  end("dcgan", [2, 2.1, 2.2]);
  end("residual", [1, 1.1, 1.2]);
  end("paper", [3, 3.1, 3.2]);
  end("residual, 2 steps of D", [1, 1.1, 1.2]);
  const { compared } = findingOf(ablations, SCALE, runs, measuresOf("768"));
  assertEquals(compared.has("dcgan"), false);
  assertEquals(compared.get("residual")!.word, "agrees");
  assertStringIncludes(compared.get("residual")!.why, "better than dcgan by 1 ");
  assertEquals(compared.get("paper")!.word, "disagrees");
  assertEquals(compared.get("sagan")!.word, "not run yet");
  const few = compared.get("residual, 2 steps of D")!;
  assertEquals(few.word, "cannot be told");
  assertStringIncludes(few.why, "after 500 steps of G");
});

Deno.test("a run's minutes are those of its fastest pace", () => {
  const line = (images: number, time: number) => ({ images, time });
  const stats = [line(16, 100), line(116, 200), line(216, 250), line(300, 9000)];
  assertEquals(measuresOf("768").minutes.of(stats), 300 * 0.5 / 60);
  assertEquals(measuresOf("768").minutes.of([line(16, 100)]), undefined);
});

Deno.test("G's loss rises from the second quarter to the last", () => {
  const steady = [{ g: 1 }, { g: 1 }, { g: 1 }],
    runs = made(SCALE, { on: steady, off: [{}, {}, {}] });
  const { word, why } = verdict(SCALE, runs, spectral);
  assertEquals([word, why], ["agrees", "better than off by 2 ± 0"]);
});
