/**
 * The random numbers of NumPy's legacy `RandomState`, from which the evaluation tools draw: to repeat
 * their order and subsets.
 *
 * @see Matsumoto and Nishimura 1998, "Mersenne twister", and numpy/random/mtrand.pyx
 * @module
 */

const N = 624, M = 397;

/** `numpy.random.RandomState(seed)`, as far as it is needed. */
export class NumpyRandom {
  readonly #key = new Uint32Array(N);
  #next = N;
  #spare: number | undefined; // normal numbers come in pairs

  /**
   * Seeds the generator.
   *
   * @throws {RangeError} If the seed is not an integer of 0 to 2^32 - 1: NumPy refuses it, too.
   */
  constructor(seed: number) {
    if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 32) {
      throw new RangeError(`NumpyRandom: got seed ${seed}, expected an integer of 0 to 2^32 - 1`);
    }
    this.#key[0] = seed;
    for (let i = 1; i < N; i++) {
      const last = this.#key[i - 1];
      this.#key[i] = Math.imul(1812433253, last ^ (last >>> 30)) + i;
    }
  }

  #refill(): void {
    const key = this.#key;
    for (let i = 0; i < N; i++) {
      const y = (key[i] & 0x80000000) | (key[(i + 1) % N] & 0x7fffffff);
      key[i] = key[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#next = 0;
  }

  /** The next 32 bits. */
  uint32(): number {
    if (this.#next === N) this.#refill();
    let y = this.#key[this.#next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  /** A number of 0 to below 1 with 53 bits: `random_sample()`. */
  uniform(): number {
    const high = this.uint32() >>> 5, low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  /** A number of the standard normal distribution, by the polar method: `randn()`. */
  normal(): number {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare !== undefined) return spare;
    let x: number, y: number, r: number;
    do {
      [x, y] = [2 * this.uniform() - 1, 2 * this.uniform() - 1];
      r = x * x + y * y;
    } while (r >= 1 || r === 0);
    const f = Math.sqrt(-2 * Math.log(r) / r);
    this.#spare = f * x;
    return f * y;
  }

  /** An integer of 0 to `max`, both included, by rejection; 0 takes no random bits. */
  #interval(max: number): number {
    if (max === 0) return 0;
    const mask = 0xffffffff >>> Math.clz32(max);
    for (;;) {
      const value = (this.uint32() & mask) >>> 0;
      if (value <= max) return value;
    }
  }

  /** The integers of 0 to `n - 1` in random order: `permutation(n)`. */
  permutation(n: number): Int32Array {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = this.#interval(i), kept = order[i];
      order[i] = order[j];
      order[j] = kept;
    }
    return order;
  }

  /** `size` of the integers of 0 to `n - 1`, each at most once: `choice(n, size, replace=False)`. */
  choice(n: number, size: number): Int32Array {
    return this.permutation(n).subarray(0, size);
  }
}
