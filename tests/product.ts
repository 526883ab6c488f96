import type { Reference } from "./check.ts";

/** Products of matrices in float64, by the definition, for `[batch, M, K] x [batch, K, N]`. */
export function product([batch, M, K, N]: number[], ta: boolean, tb: boolean): Reference {
  return (a, b) => {
    const y: number[] = [];
    for (let n = 0; n < batch; n++) {
      for (let i = 0; i < M; i++) {
        for (let j = 0; j < N; j++) {
          let t = 0;
          for (let k = 0; k < K; k++) {
            t += a[n * M * K + (ta ? k * M + i : i * K + k)] *
              b[n * K * N + (tb ? j * K + k : k * N + j)];
          }
          y.push(t);
        }
      }
    }
    return y;
  };
}
