import { assertEquals, assertStringIncludes } from "@std/assert";
import { defaults, type TrainOptions } from "./options.ts";
import { changesOf, validate } from "./validate.ts";

const of = (changes: Partial<TrainOptions>) =>
  validate({ ...defaults, recipe: "dcgan", preset: "default", ...changes });

Deno.test("options that go together are let through", () => {
  for (
    const changes of [
      {},
      { labelSmoothing: 0.9, loss: "bce" },
      { labelSmoothing: 0.9, loss: "lsgan" },
      { labelSmoothing: 1, loss: "hinge" },
      { beta1: 0, beta2: 0.999, ema: 0 },
      { dropout: 0.99 },
      { augment: "color, cutout" },
      { adaTarget: 0.6, loss: "hinge" },
      { adaTarget: 0.6, loss: "bce" },
      { adaTarget: 0, loss: "wgan" },
      { batch: 8, accumulate: 4 },
      { batch: 16, accumulate: 2, minibatch: "stddev" },
    ]
  ) assertEquals(of(changes), undefined, JSON.stringify(changes));
});

Deno.test("others are refused in a sentence that names the option", () => {
  for (
    const [changes, part] of [
      [{ labelSmoothing: 0.9, loss: "hinge" }, "--label-smoothing needs a loss with targets"],
      [{ beta1: 1 }, "--beta1 1 must be below 1"],
      [{ beta2: 1 }, "--beta2 1 must be below 1"],
      [{ ema: 1 }, "--ema 1 must be below 1"],
      [{ dropout: 1 }, "--dropout 1 must be below 1"],
      [{ augment: "color,colour" }, "there is no colour"],
      [{ augment: "color," }, "there is no empty change"],
      [{ augment: "color,cutout,color" }, "color is there twice"],
      [{ adaTarget: 0.6, loss: "wgan" }, "--ada-target needs logits"],
      [{ batch: 8, accumulate: 8 }, "of at least 2"],
      [{ batch: 8, accumulate: 3 }, "a batch of 8 images has no micro-batches of one size"],
      [{ batch: 12, accumulate: 2, minibatch: "stddev" }, "a multiple of 4"],
    ] as const
  ) assertStringIncludes(of(changes) ?? "accepted", part);
});

Deno.test("names of changes are parted by commas", () => {
  assertEquals([changesOf("none"), changesOf("color, cutout")], [[], ["color", "cutout"]]);
});
