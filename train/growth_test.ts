import { assertEquals, assertThrows } from "@std/assert";
import { describe, growing, reach, steady } from "./growth.ts";
import { defaults, type TrainOptions } from "./options.ts";

const options: TrainOptions = {
  ...defaults,
  recipe: "pggan",
  preset: "default",
  resolution: 16,
  kimg: 0,
  phaseKimg: 0.1,
  phaseFactor: 2,
  lastKimg: 0.05,
};

Deno.test("4 pixels are stabilised, each level is faded in and stabilised, the last once more", () => {
  const { phases, total } = growing(options);
  assertEquals(phases, [
    { resolution: 4, fading: false, from: 0, images: 100 },
    { resolution: 8, fading: true, from: 100, images: 200 },
    { resolution: 8, fading: false, from: 300, images: 200 },
    { resolution: 16, fading: true, from: 500, images: 400 },
    { resolution: 16, fading: false, from: 900, images: 400 },
    { resolution: 16, fading: false, from: 1300, images: 50 },
  ]);
  assertEquals(total, 1350);
});

Deno.test("alpha grows by each image of a fade-in, from 0; else it is 1", () => {
  const { at } = growing(options);
  const seen = (images: number) => {
    const { phase, alpha } = at(images);
    return [phase.resolution, phase.fading, alpha];
  };
  assertEquals(seen(0), [4, false, 1]);
  assertEquals(seen(99), [4, false, 1]);
  assertEquals(seen(100), [8, true, 0]);
  assertEquals(seen(101), [8, true, 1 / 200]);
  assertEquals(seen(299), [8, true, 199 / 200]);
  assertEquals(seen(300), [8, false, 1]);
  assertEquals(seen(700), [16, true, 0.5]);
  assertEquals(seen(1299), [16, false, 1]);
  assertEquals(seen(1e9), [16, false, 1]); // a run may go on in its last phase
});

Deno.test("--kimg ends the run elsewhere and moves no phase", () => {
  const whole = growing(options);
  for (const kimg of [0.4, 5]) {
    const other = growing({ ...options, kimg });
    assertEquals(other.total, 1000 * kimg);
    assertEquals(other.phases, whole.phases);
  }
});

Deno.test("batches are whole up to a side and halve above it, but not below 4", () => {
  const batches = (changed: Partial<TrainOptions>) => {
    const all = growing({ ...options, resolution: 256, ...changed });
    return all.phases.filter(({ fading }) => !fading).map(({ from }) => all.at(from).batch);
  };
  // Karras et al.: 128 up to 16 pixels, then 64, 32, 16; their code has 8 at 256.
  assertEquals(batches({ batch: 128 }), [128, 128, 128, 64, 32, 16, 8, 8]);
  assertEquals(batches({ batch: 16 }), [16, 16, 16, 8, 4, 4, 4, 4]);
  assertEquals(batches({ batch: 24, fullBatchTo: 64 }), [24, 24, 24, 24, 24, 12, 4, 4]);
  assertEquals(batches({ batch: 2 }), Array(8).fill(2));
});

Deno.test("phases of no images are left out", () => {
  assertEquals(growing({ ...options, lastKimg: 0 }).phases.length, 5);
});

Deno.test("networks that do not grow have one phase", () => {
  const { phases, total, at } = steady({ ...options, kimg: 2, batch: 8 });
  assertEquals([phases.length, total], [1, 2000]);
  assertEquals([at(0).batch, at(0).alpha, at(0).phase.resolution], [8, 1, 16]);
  assertEquals(at(0), at(1e6));
});

Deno.test("a side that doubling does not reach is refused", () => {
  assertThrows(() => growing({ ...options, resolution: 48 }), RangeError, "48");
});

Deno.test("phases have names", () => {
  const [first, second] = growing(options).phases;
  assertEquals(describe(first, 1), "stabilising 4 px");
  assertEquals(describe(second), "fading in 8 px");
  assertEquals(describe(second, 0.348), "fading in 8 px 0.35");
});

Deno.test("a run that ends before its networks are grown is told how long they take", () => {
  const own = { ...defaults, resolution: 16, phaseKimg: 12, phaseFactor: 1, lastKimg: 36 };
  const told = (kimg: number) => reach(growing({ ...own, recipe: "", preset: "", kimg }));
  // 4; 8 fading, 8; 16 fading from 36, 16 from 48; the last phase to 96
  assertEquals(
    told(2),
    "2 kimg end stabilising 4 px: 16 px are grown after 48 kimg, and trained after 96",
  );
  assertEquals(told(48)?.slice(0, 25), "48 kimg end fading in 16 ");
  for (const kimg of [49, 96, 200, 0]) assertEquals(told(kimg), undefined);
  assertEquals(reach(steady({ ...own, recipe: "", preset: "", kimg: 2 })), undefined);
});

Deno.test("phases have whole images, rounded", () => {
  const { phases } = growing({ ...options, phaseKimg: 0.0029, phaseFactor: 1, lastKimg: 0.0004 });
  assertEquals(phases.map(({ images }) => images), [3, 3, 3, 3, 3]);
});
