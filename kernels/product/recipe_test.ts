import { assert, assertEquals } from "@std/assert";
import type { Plan } from "../plan.ts";
import { gatherKernel } from "../software/gather.ts";
import { tiledGather } from "./tile_gather.ts";
import { tiledWeight } from "./tile_weight.ts";

const tile: Plan = {
  ...{ load: "tile", MR: 4, NV: 1, KU: 8, single: false, wx: 8, wy: 8, wz: 1, share: "none" },
  ...{ fill: 264, precision: "f32" },
};
const recipe = { plan: tile, transposed: false, finish: { vec4: true } };

Deno.test("plans share a kernel where they differ only in how many parts they sum in", () => {
  const kernel = tiledGather(recipe);
  assert(tiledGather({ ...recipe, plan: { ...tile, fill: 1 } }) === kernel);
  assertEquals(kernel.label, "gather tile MR4 NV1 KU8 8x8x1/main");
  for (
    const change of [{ MR: 8 }, { NV: 2 }, { KU: 4 }, { wx: 16 }, { wy: 4 }, { precision: "f16" }]
  ) {
    const plan = { ...tile, ...change } as Plan;
    assert(tiledGather({ ...recipe, plan }) !== kernel, JSON.stringify(change));
  }
  for (const change of [{ vec4: false }, { flipped: true }, { bias: true }, { relu: true }]) {
    const finish = { vec4: true, ...change };
    assert(tiledGather({ ...recipe, finish }) !== kernel, JSON.stringify(change));
  }
  assert(tiledGather({ ...recipe, transposed: true }) !== kernel);
});

Deno.test("a line of a product's text knows its file, also in a part of a part", () => {
  const fileOf = ({ code, origins }: { code: string; origins: readonly string[] }, text: string) =>
    origins[code.split("\n").findIndex((line) => line.includes(text))].split(":")[0];
  const gather = tiledGather(recipe), weight = tiledWeight(recipe);
  const direct = gatherKernel({ ...recipe, plan: { ...tile, load: "texture" } });
  assertEquals(fileOf(gather, "workgroupBarrier"), "tile.wgsl");
  assertEquals(fileOf(gather, "alias Stored"), "operands.wgsl");
  assertEquals(fileOf(gather, "let tapsY"), "window.wgsl");
  assertEquals(fileOf(weight, "fn over"), "tile_weight.wgsl");
  assertEquals(fileOf(weight, "c0_0 +="), "registers.wgsl");
  assertEquals(fileOf(direct, "textureLoad(B"), "operands.wgsl");
  assertEquals(fileOf(direct, "let lx"), "lanes.wgsl");
  assertEquals(fileOf(direct, "fn store"), "finish.wgsl");
});
