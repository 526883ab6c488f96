/** Numbers that tests/oracle/drawn.py makes, too, so that no fixture need store them. */

/**
 * Numbers of a name: a hash of the name and the place.
 *
 * @param value Makes each of one that is uniform in [-1, 1), in steps of 2^-23.
 */
export function drawn(
  name: string,
  count: number,
  value: (u: number) => number = (u) => u,
): Float32Array {
  let seed = 2166136261;
  for (const byte of new TextEncoder().encode(name)) seed = Math.imul(seed ^ byte, 16777619) >>> 0;
  const values = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    let h = seed + Math.imul(i, 0x9e3779b9) | 0;
    h = Math.imul(h ^ (h >>> 16), 0x21f0aaad);
    h = Math.imul(h ^ (h >>> 15), 0x735a2d97);
    h ^= h >>> 15;
    values[i] = value((h >>> 8) / 2 ** 23 - 1);
  }
  return values;
}
