/**
 * The part of `jsr:@std/assert` that this project uses, on `node:assert/strict`.
 *
 * One line in `deno.json` switches to the original: `"@std/assert": "jsr:@std/assert@1"`.
 *
 * @module
 */
import assertion from "node:assert/strict";

/** Throws unless `value` is truthy. */
export function assert(value: unknown, message?: string): asserts value {
  assertion.ok(value, message);
}

/** Throws unless the two are deeply equal. */
export function assertEquals<T>(actual: T, expected: T, message?: string): void {
  assertion.deepStrictEqual(actual, expected, message);
}

/** Throws unless the two differ by at most `tolerance` (by default 1e-7 of `expected`). */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance: number = Math.max(1e-7, Math.abs(expected) * 1e-7),
): void {
  assertion.ok(
    Math.abs(actual - expected) <= tolerance,
    `got ${actual}, expected ${expected} within ${tolerance}`,
  );
}

/** Throws unless `text` contains `part`. */
export function assertStringIncludes(text: string, part: string): void {
  assertion.ok(text.includes(part), `expected ${JSON.stringify(part)} in ${JSON.stringify(text)}`);
}

type ErrorClass<E extends Error> = abstract new (...args: never[]) => E;

function check<E extends Error>(error: unknown, type?: ErrorClass<E>, part?: string): E {
  if (type) assertion.ok(error instanceof type, `expected ${type.name}, got ${error}`);
  if (part !== undefined) assertStringIncludes((error as Error).message, part);
  return error as E;
}

/** Throws unless `body` throws an error of `type` whose message contains `part`; returns it. */
export function assertThrows<E extends Error = Error>(
  body: () => unknown,
  type?: ErrorClass<E>,
  part?: string,
): E {
  try {
    body();
  } catch (error) {
    return check(error, type, part);
  }
  throw new assertion.AssertionError({ message: "expected an error, but none was thrown" });
}

/** Throws unless the promise of `body` rejects as {@linkcode assertThrows} says; returns the error. */
export async function assertRejects<E extends Error = Error>(
  body: () => Promise<unknown>,
  type?: ErrorClass<E>,
  part?: string,
): Promise<E> {
  try {
    await body();
  } catch (error) {
    return check(error, type, part);
  }
  throw new assertion.AssertionError({ message: "expected a rejection, but there was none" });
}
