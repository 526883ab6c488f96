import type { Shape } from "./tensor.ts";

/**
 * How a tensor is printed: `Tensor [2, 3] [[1, 2, 3], [4, 5, 6]]`.
 *
 * @param op The op that computed it, if known.
 * @param values Its first elements, if they were read.
 */
export function inspected(shape: Shape, op?: string, values?: readonly number[]): string {
  const head = `Tensor [${shape.join(", ")}]${op ? ` of ${op}` : ""}`;
  if (!values) return `${head} (await its read() for the values)`;
  const size = shape.reduce((product, n) => product * n, 1);
  const numbers = values.map((value) => `${Number(value.toPrecision(6))}`);
  if (size > values.length) return `${head} [${numbers.slice(0, 8).join(", ")}, ...]`;
  return `${head} ${nested(shape, numbers)}`;
}

function nested(shape: Shape, numbers: readonly string[]): string {
  if (shape.length === 0) return numbers[0];
  const [rows, ...inner] = shape, each = numbers.length / rows;
  const parts = Array.from(
    { length: rows },
    (_, i) => nested(inner, numbers.slice(i * each, (i + 1) * each)),
  );
  return `[${parts.join(", ")}]`;
}
