/** A stream of random numbers on the host, for initial weights. */
export interface HostRandom {
  /** Uniform in [0, 1). */
  uniform(): number;
  /** From N(0, 1). */
  normal(): number;
  /** A stream that is unrelated to what follows. */
  fork(): HostRandom;
}

/** Zeros, for weights that are read over at once: drawing takes most of the time of building a network. */
export const NOTHING_DRAWN: HostRandom = {
  uniform: () => 0,
  normal: () => 0,
  fork: () => NOTHING_DRAWN,
};

/**
 * A stream that is the same on every machine.
 *
 * @param seed Any integers; different lists give unrelated streams.
 * @see sfc32 of PractRand, by C. Doty-Humphrey
 */
export function hostRandom(...seed: number[]): HostRandom {
  let [a, b, c, counter] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + t) | 0;
    return t >>> 0;
  };
  for (const number of seed) {
    a ^= number | 0;
    b ^= Math.floor(number / 2 ** 32) | 0;
    for (let i = 0; i < 15; i++) next();
  }
  const uniform = () => (next() + next() / 2 ** 32) / 2 ** 32;
  return {
    uniform,
    // Box-Muller; 1 - u is never 0
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    fork: () => hostRandom(Math.floor(uniform() * 2 ** 32)),
  };
}
