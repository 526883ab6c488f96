/** `[0, 1, ..., n - 1]`, to unroll with. */
export const range = (n: number): number[] => [...Array(n).keys()];
