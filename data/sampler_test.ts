import { assert, assertEquals, assertThrows } from "@std/assert";
import type { Dataset } from "./pack.ts";
import { batchAt, gather } from "./sampler.ts";

const COUNTS = [1, 2, 3, 5, 16, 17, 64, 1000, 4097];

function epoch(count: number, seed: number, number: number): Uint32Array {
  return batchAt({ count, seed, mirror: false }, number * count, count).indices;
}

Deno.test("every epoch shows every image exactly once", () => {
  for (const count of COUNTS) {
    for (const number of [0, 1, 2, 1e6]) {
      const sorted = epoch(count, 7, number).toSorted();
      assertEquals(sorted, Uint32Array.from({ length: count }, (_, i) => i));
    }
  }
});

Deno.test("epochs and seeds differ, and hardly any image keeps its place", () => {
  for (
    const [a, b] of [[epoch(1000, 0, 0), epoch(1000, 0, 1)], [epoch(1000, 0, 0), epoch(1000, 1, 0)]]
  ) {
    const same = a.filter((index, i) => index === b[i]).length;
    // One on average, whatever the count.
    assert(same < 10, `${same} of 1000 at the same place`);
  }
  assert(epoch(1000, 0, 2 ** 33 / 1000).some((index, i) => index !== epoch(1000, 0, 0)[i]));
});

Deno.test("each place is as likely for each image", () => {
  const count = 10, epochs = 4000;
  const seen = new Float64Array(count * count);
  for (let e = 0; e < epochs; e++) {
    epoch(count, 3, e).forEach((index, place) => seen[place * count + index] += 1);
  }
  const expected = epochs / count;
  const chi2 = seen.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
  // 81 degrees of freedom: mean 81, standard deviation 12.7.
  assert(chi2 < 81 + 5 * 12.7, `chi-squared is ${chi2}`);
});

Deno.test("neighbours in one epoch are not neighbours in the next", () => {
  const count = 5000;
  const order = epoch(count, 1, 0);
  const steps = order.slice(1).filter((index, i) => Math.abs(index - order[i]) === 1).length;
  assert(steps < 15, `${steps} of ${count} steps lead to a neighbour; 2 are expected`);
});

Deno.test("batches are cut from one sequence, wherever the cuts are", () => {
  const options = { count: 37, seed: 5, mirror: true };
  const whole = batchAt(options, 0, 200);
  for (const sizes of [[64, 64, 72], [1, 36, 37, 126], [200]]) {
    let images = 0;
    for (const size of sizes) {
      const part = batchAt(options, images, size);
      assertEquals(part.indices, whole.indices.slice(images, images + size));
      assertEquals(part.mirrored, whole.mirrored.slice(images, images + size));
      images += size;
    }
  }
});

Deno.test("about half are mirrored, another half in the next epoch, none when not asked for", () => {
  const { mirrored } = batchAt({ count: 5000, seed: 2, mirror: true }, 0, 20000);
  const share = mirrored.reduce((sum, flag) => sum + flag, 0) / 20000;
  assert(Math.abs(share - 0.5) < 5 * 0.5 / Math.sqrt(20000), `share is ${share}`);
  const equal = mirrored.slice(0, 5000).filter((flag, i) => flag === mirrored[5000 + i]).length;
  assert(Math.abs(equal / 5000 - 0.5) < 0.04, `${equal} of 5000 flags repeat`);
  assertEquals(batchAt({ count: 9, seed: 2, mirror: false }, 0, 50).mirrored, new Uint8Array(50));
});

Deno.test("a count that makes no sense is refused", () => {
  for (const count of [0, -1, 1.5, 2 ** 31]) {
    assertThrows(() => batchAt({ count, seed: 0, mirror: false }, 0, 1), RangeError, `${count}`);
  }
});

Deno.test("gather copies images, mirrored where flagged", () => {
  const pixels = Uint8Array.from({ length: 3 * 12 }, (_, i) => i);
  const dataset: Dataset = { name: "", count: 3, resolution: 2, pixels, hash: "", broken: [] };
  const batch = { indices: Uint32Array.of(2, 0), mirrored: Uint8Array.of(0, 1) };
  assertEquals([...gather(dataset, batch)], [
    ...[24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35],
    ...[3, 4, 5, 0, 1, 2, 9, 10, 11, 6, 7, 8],
  ]);
});
