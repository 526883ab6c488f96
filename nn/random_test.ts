import { assertEquals } from "@std/assert";
import { assertClose } from "../tests/support.ts";
import { hostRandom } from "./random.ts";

// By Python, with sfc32 as PractRand 0.95 has it (RNGs/sfc.cpp), 64 bits a number: t = a + b + k++,
// a = b ^ b >> 9, b = c + (c << 3), c = rotl(c, 21) + t, all modulo 2^32.
const streams: [seed: number[], values: number[]][] = [
  [[], [0.7596266424762679, 0.8595817935015441, 0.522941912380156]],
  [[1], [0.67937607871124, 0.8321312652052506, 0.8339721685760724]],
  [[1, 2], [0.17778214016717828, 0.6777558138826083, 0.919415181994805]],
  [[2 ** 40 + 5], [0.5243773050646179, 0.8814228571170551, 0.25874126771851125]],
];
for (const [seed, values] of streams) {
  Deno.test(`the stream of [${seed}] is sfc32's`, () => {
    const random = hostRandom(...seed);
    assertEquals(values.map(() => random.uniform()), values);
  });
}

Deno.test("normal numbers are by Box and Muller from two uniform ones", () => {
  const [u, v] = streams[1][1];
  const expected = Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
  assertClose("normal", [hostRandom(1).normal()], [expected], { rtol: 1e-12, atol: 0 });
});
