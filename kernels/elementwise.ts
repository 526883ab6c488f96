/**
 * Elementwise ops. In the binary ones, `b` may have fewer axes than `a` or sizes of 1, and is
 * then repeated (and so may `a`), as in NumPy.
 *
 * @module
 */
import wgsl from "./elementwise.wgsl" with { type: "text" };
import { kernel } from "../gpu/kernel.ts";
import { folded, type Live } from "../gpu/record.ts";
import { run } from "../gpu/run.ts";
import { apply } from "../tensor/op.ts";
import { empty, sameShape, type Shape, type Tensor } from "../tensor/tensor.ts";
import { expand } from "../gpu/wgsl.ts";
import { ELEMENT } from "./element.ts";
import { EXACT, EXACT_FOR } from "./exact.ts";
import { broadcastShape, broadcastTo, sumTo } from "./reduce.ts";

const source = expand(
  { name: "elementwise.wgsl", text: wgsl },
  { VEC4: true, ...EXACT_FOR.vec4f },
  { ...ELEMENT, ...EXACT },
);
const unaryKernel = kernel("elementwise", source, "unary");
const binaryKernel = kernel("elementwise", source, "binary");
const binary4Kernel = kernel("elementwise", source, "binary4");
const fillKernel = kernel("elementwise", source, "fill");

// The cases of `switch (OP)` in the shader.
const UNARY = {
  affine: 0,
  exp: 1,
  log: 2,
  sqrt: 3,
  reciprocal: 4,
  square: 5,
  tanh: 6,
  sigmoid: 7,
  softplus: 8,
  abs: 9,
  sign: 10,
  leakyRelu: 11,
  clamp: 12,
} as const;
const BINARY = { add: 0, sub: 1, mul: 2, div: 3, leakyGate: 4, clampGate: 5, tanhGrad: 6 } as const;

type Back = (dy: Tensor, y: Tensor) => Tensor;

function unary(
  op: keyof typeof UNARY,
  x: Tensor,
  back: Back,
  k: Live<number> = 0,
  l = 0,
): Tensor {
  return apply({
    op,
    inputs: [x],
    shape: x.shape,
    forward: (y) => {
      const n4 = Math.ceil(x.size / 4), params = { n4, cols: 1, k, l };
      run(unaryKernel, { a: x, y }, params, folded(Math.ceil(n4 / 64)), { OP: UNARY[op] });
    },
    backward: (dy, y) => [back(dy, y)],
  });
}

/** Computes `op(a, b)` into `y`, which has the shape of `a`; `b` is like `a`, a number, or a row. */
function combine(op: keyof typeof BINARY, a: Tensor, b: Tensor, y: Tensor, k = 0, l = 0): void {
  const cols = b.size, ROW = cols === a.size ? 0 : cols === 1 ? 1 : cols % 4 ? 2 : 3;
  const constants = { OP: BINARY[op], ROW }, n4 = Math.ceil(a.size / 4);
  const params = { n4, cols, k, l }, grid = folded(Math.ceil(n4 / 64));
  if (ROW === 0 || ROW === 3) run(binary4Kernel, { a, b4: b, y }, params, grid, constants);
  else run(binaryKernel, { a, b, y }, params, grid, constants);
}

/** An operand of a binary op: a tensor, or a number for all elements of the other operand. */
export type Operand = Tensor | number;

function binary(
  op: "add" | "sub" | "mul" | "div",
  left: Operand,
  right: Operand,
  backs: readonly [Back, Back],
): Tensor {
  if (typeof left === "number" && typeof right === "number") {
    throw new TypeError(`${op}: got the numbers ${left} and ${right}, expected a tensor`);
  }
  let [a, b] = [left, right].map((x) => typeof x === "number" ? full([], x) : x);
  const shape = broadcastShape(op, a.shape, b.shape);
  if (!sameShape(a.shape, shape)) a = broadcastTo(a, shape);
  if (!isRowOf(b.shape, shape)) b = broadcastTo(b, shape);
  return apply({
    op,
    inputs: [a, b],
    shape,
    forward: (y) => combine(op, a, b, y),
    backward: (dy, y, need) => [
      need[0] ? backs[0](dy, y) : null,
      need[1] ? sumTo(backs[1](dy, y), b.shape) : null,
    ],
  });
}

/** True if repeating the elements of `row` in order gives `shape`. */
function isRowOf(row: Shape, shape: Shape): boolean {
  const inner = row.slice(row.findIndex((size) => size !== 1));
  return row.every((size) => size === 1) || sameShape(inner, shape.slice(-inner.length));
}

/** `a + b`. */
export function add(a: Operand, b: Operand): Tensor {
  return binary("add", a, b, [(dy) => dy, (dy) => dy]);
}

/** `a - b`. */
export function sub(a: Operand, b: Operand): Tensor {
  return binary("sub", a, b, [(dy) => dy, neg]);
}

/** `a b`, element by element. */
export function mul(a: Operand, b: Operand): Tensor {
  return binary("mul", a, b, [(dy) => mul(dy, b), (dy) => mul(dy, a)]);
}

/** `a / b`, element by element. */
export function div(a: Operand, b: Operand): Tensor {
  return binary("div", a, b, [(dy) => div(dy, b), (dy, y) => neg(mul(dy, div(y, b)))]);
}

/** `k x + l` for two numbers; `k` may be one that changes from step to step. */
export function affine(x: Tensor, k: Live<number>, l: number): Tensor {
  return unary("affine", x, (dy) => affine(dy, k, 0), k, l);
}

/** `k x` for a number, which may be one that changes from step to step. */
export function scale(x: Tensor, k: Live<number>): Tensor {
  return affine(x, k, 0);
}

/** `-x`. */
export function neg(x: Tensor): Tensor {
  return affine(x, -1, 0);
}

/** `e^x`. */
export function exp(x: Tensor): Tensor {
  return unary("exp", x, (dy, y) => mul(dy, y));
}

/** The natural logarithm. */
export function log(x: Tensor): Tensor {
  return unary("log", x, (dy) => div(dy, x));
}

/** The square root. */
export function sqrt(x: Tensor): Tensor {
  return unary("sqrt", x, (dy, y) => div(scale(dy, 0.5), y));
}

/** `1 / x`. */
export function reciprocal(x: Tensor): Tensor {
  return unary("reciprocal", x, (dy, y) => neg(mul(dy, square(y))));
}

/** `x^2`. */
export function square(x: Tensor): Tensor {
  return unary("square", x, (dy) => scale(mul(dy, x), 2));
}

/** The hyperbolic tangent, accurate near 0, too. */
export function tanh(x: Tensor): Tensor {
  return unary("tanh", x, (dy, y) => tanhGrad(y, dy));
}

/** `(1 - y^2) dy`, in one dispatch. */
function tanhGrad(y: Tensor, dy: Tensor): Tensor {
  return apply({
    op: "tanhGrad",
    inputs: [y, dy],
    shape: y.shape,
    forward: (out) => combine("tanhGrad", y, dy, out),
    backward: (d, _, need) => [
      need[0] ? scale(mul(mul(d, dy), y), -2) : null,
      need[1] ? tanhGrad(y, d) : null,
    ],
  });
}

/** `1 / (1 + e^-x)`, without overflow. */
export function sigmoid(x: Tensor): Tensor {
  return unary("sigmoid", x, (dy, y) => mul(dy, mul(y, affine(y, -1, 1))));
}

/** `log(1 + e^x)`, without overflow and accurate for very negative `x`. */
export function softplus(x: Tensor): Tensor {
  return unary("softplus", x, (dy) => mul(dy, sigmoid(x)));
}

/** `|x|`. */
export function abs(x: Tensor): Tensor {
  return unary("abs", x, (dy) => mul(dy, sign(x)));
}

/** -1, 0 or 1. Its gradient is 0. */
export function sign(x: Tensor): Tensor {
  return unary("sign", x, (dy) => full(dy.shape, 0));
}

/** `max(x, 0)`. */
export function relu(x: Tensor): Tensor {
  return leakyRelu(x, 0);
}

/** `x` where it is positive, else `slope x`. */
export function leakyRelu(x: Tensor, slope = 0.2): Tensor {
  return unary("leakyRelu", x, (dy) => leakyGate(x, dy, slope), slope);
}

/** `z` where `x > 0`, else `slope z`: linear in `z`, flat in `x`. */
export function leakyGate(x: Tensor, z: Tensor, slope: number): Tensor {
  return apply({
    op: "leakyGate",
    inputs: [z],
    shape: x.shape,
    forward: (y) => combine("leakyGate", x, z, y, slope),
    backward: (dy) => [leakyGate(x, dy, slope)],
  });
}

/** `x` held between `low` and `high`; the gradient passes where it was not held. */
export function clamp(x: Tensor, low: number, high: number): Tensor {
  return unary("clamp", x, (dy) => clampGate(x, dy, low, high), low, high);
}

function clampGate(x: Tensor, z: Tensor, low: number, high: number): Tensor {
  return apply({
    op: "clampGate",
    inputs: [z],
    shape: x.shape,
    forward: (y) => combine("clampGate", x, z, y, low, high),
    backward: (dy) => [clampGate(x, dy, low, high)],
  });
}

/** A constant tensor of one value. */
export function full(shape: Shape, value: number): Tensor {
  const y = empty(shape), n4 = Math.ceil(y.size / 4);
  run(fillKernel, { y }, { n4, cols: 1, k: value, l: 0 }, folded(Math.ceil(n4 / 64)));
  return y;
}
