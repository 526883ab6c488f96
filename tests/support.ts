/** Uniform numbers in (-1, 1) from a seed (mulberry32). */
export function random(seed: number): () => number {
  let s = seed >>> 0;
  return () => {
    s = (s + 0x6d2b79f5) >>> 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** `n` numbers of {@linkcode random} that float32 holds exactly. */
export function randoms(n: number, seed: number): number[] {
  const next = random(seed);
  return Array.from({ length: n }, () => Math.fround(next()));
}

/** How far a float32 result may be from its float64 reference. */
export interface Tolerance {
  rtol?: number;
  atol?: number;
}

/** Throws with the worst element if any |actual - expected| > atol + rtol |expected|, or is NaN. */
export function assertClose(
  name: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol = 1e-4, atol = 1e-5 }: Tolerance = {},
): void {
  if (actual.length !== expected.length) {
    throw new Error(`${name}: ${actual.length} values, expected ${expected.length}`);
  }
  let worst = -1, excess = 1;
  for (let i = 0; i < actual.length; i++) {
    const ratio = Math.abs(actual[i] - expected[i]) / (atol + rtol * Math.abs(expected[i]));
    if (!(ratio <= excess)) [worst, excess] = [i, ratio]; // also catches NaN
    if (Number.isNaN(ratio)) break;
  }
  if (worst >= 0) {
    throw new Error(
      `${name}[${worst}] = ${actual[worst]}, expected ${expected[worst]} ` +
        `(${excess.toFixed(1)}x the tolerance)`,
    );
  }
}

/** Runs `body` with a temporary folder, which is removed afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** As assertEquals, but for long arrays, of which that would print a difference for minutes. */
export function assertSame(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  what: string,
): void {
  if (actual.length !== expected.length) {
    throw new Error(`${what}: ${actual.length} elements, expected ${expected.length}`);
  }
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] !== expected[i]) {
      throw new Error(`${what}: [${i}] is ${actual[i]}, expected ${expected[i]}`);
    }
  }
}

/** What Deno is told by the script `gan`: the permissions of commands that open a device. */
export const GIVEN = [
  ...["--no-prompt", "--allow-read=/", "--allow-write=/", "--allow-env", "--allow-sys"],
  "--allow-run=deno,npm",
];
