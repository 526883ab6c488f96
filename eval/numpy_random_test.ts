import { assertEquals, assertThrows } from "@std/assert";
import { NumpyRandom } from "./numpy_random.ts";

// All values are NumPy 1.24.2's, of numpy.random.RandomState(seed).
const WORDS: readonly (readonly [seed: number, first: number[], number1305: number])[] = [
  [0, [2357136044, 2546248239, 3071714933, 3626093760], 1037479587],
  [2020, [4236026720, 639299976, 3751189827, 2669525622], 2437151859],
  [4294967295, [419326371, 479346978, 3918654476, 2416749639], 710387213],
];

Deno.test("the words of the generator are NumPy's, beyond its first 624, too", () => {
  for (const [seed, first, last] of WORDS) {
    const random = new NumpyRandom(seed),
      words = Array.from({ length: 1305 }, () => random.uint32());
    assertEquals([words.slice(0, 4), words[1304]], [first, last]);
  }
});

Deno.test("permutations and choices are NumPy's, one after another", () => {
  const random = new NumpyRandom(2020);
  assertEquals([...random.permutation(10)], [2, 4, 9, 1, 5, 7, 6, 3, 8, 0]);
  assertEquals([...random.choice(1000, 5)], [358, 763, 430, 530, 677]);
  assertEquals([...random.permutation(1)], [0]);
  assertEquals([...random.permutation(7)], [4, 1, 2, 3, 5, 6, 0]);
});

Deno.test("the third permutation of 5000 is NumPy's", () => {
  const random = new NumpyRandom(0);
  const third = [0, 1, 2].map(() => random.permutation(5000))[2];
  assertEquals([...third.subarray(0, 6)], [3488, 1136, 3494, 2945, 4518, 4011]);
  assertEquals(third.reduce((t, x, i) => t + x * i, 0), 31285696251);
});

Deno.test("seeds that NumPy refuses are refused", () => {
  for (const seed of [-1, 2 ** 32, 0.5]) {
    assertThrows(() => new NumpyRandom(seed), RangeError, `got seed ${seed}`);
  }
});
