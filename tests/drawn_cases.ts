/** Tests of drawn cases: the same few each time, or many others where asked for. */
import fc from "fast-check";

/**
 * Registers a test that holds for every drawn case; a case that fails is made as small as it can be.
 *
 * `DRAWN_RUNS` of the environment says how many are drawn instead, by a seed of `DRAWN_SEED` or of the clock; a
 * failure tells its seed.
 *
 * @param runs How many without these.
 */
export function drawn<T>(
  name: string,
  cases: fc.Arbitrary<T>,
  holds: (drawn: T) => Promise<void> | void,
  runs = 10,
): void {
  const { DRAWN_RUNS, DRAWN_SEED } = Deno.env.toObject();
  const isLong = DRAWN_RUNS !== undefined, numRuns = isLong ? Number(DRAWN_RUNS) : runs;
  const seed = DRAWN_SEED !== undefined ? Number(DRAWN_SEED) : isLong ? Date.now() : 1;
  const property = fc.asyncProperty(cases, async (drawn) => await holds(drawn));
  const check = () => fc.assert(property, { numRuns, seed });
  Deno.test(`${name}, drawn`, check);
}
