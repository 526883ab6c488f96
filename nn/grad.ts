/** Reverse-mode differentiation. */
import type { Storage } from "../gpu/memory.ts";
import { full } from "../kernels/elementwise.ts";
import { totals } from "../kernels/totals.ts";
import { noGrad, reshape } from "../tensor/op.ts";
import { consuming, type Kept, scoped, Tensor } from "../tensor/tensor.ts";

/**
 * The gradient of `y`, or of the sum of several, with respect to each of `xs`.
 *
 * Only what lies between `y` and `xs` is differentiated: an image made by G costs nothing when D's
 * parameters are asked for.
 *
 * @param y A tensor with one element, or several such.
 * @param options.dy The gradient of `y` itself, one element: 1 if left out; for a scaled loss its scale.
 * @param options.onto Gradients to add these to, one for each of `xs`, which must be leaves.
 * @param options.createGraph Record the sweep, so that the gradient can itself be differentiated.
 * @returns Tensors with the shapes of `xs`.
 * @throws {RangeError} If `y` has more than one element.
 * @throws {Error} If `y` does not depend on one of `xs`.
 */
export function grad(
  y: Tensor | readonly Tensor[],
  xs: readonly Tensor[],
  { createGraph = false, dy, onto }: {
    createGraph?: boolean;
    dy?: Tensor | undefined;
    onto?: readonly Tensor[] | undefined;
  } = {},
): Tensor[] {
  const ys = y instanceof Tensor ? [y] : y, large = ys.find(({ size }) => size !== 1);
  if (large) throw new RangeError(`grad: y must have one element, got shape [${large.shape}]`);
  const seed = dy ?? full([1], 1);
  const sweep = (visit: Visit) => {
    const grads = sweepBack(ys, xs, seed, visit, onto);
    return xs.map((x) => grads.get(x));
  };
  const grads = createGraph
    ? sweep((_, body) => body())
    : noGrad(() => scoped(() => sweep(consuming)));
  return grads.map((dx, i) => {
    if (!dx) throw new Error(`grad: y does not depend on xs[${i}] (shape [${xs[i].shape}])`);
    return dx;
  });
}

/** Runs a part of a sweep after which nobody needs the gradients in `last`. */
type Visit = <T extends Kept>(last: readonly Tensor[], body: () => T) => T;

function sweepBack(
  ys: readonly Tensor[],
  xs: readonly Tensor[],
  dy: Tensor,
  visit: Visit,
  onto: readonly Tensor[] = [],
): Map<Tensor, Tensor> {
  const path = between(xs, ys), wanted = new Set(xs);
  const grads = new Map(ys.map((y) => [y, reshape(dy, y.shape)]));
  // Of those that come in several parts, which are added when they are needed, many at once.
  const parts = new Map(onto.map((given, i) => [xs[i], [given]]));
  // Of `done`, those that share no memory with a gradient still to be used.
  const free = (done: readonly Tensor[]) => done.filter(({ storage }) => !isUsed(storage));
  const isUsed = (storage: Storage) => {
    for (const g of grads.values()) if (g.storage === storage) return true;
    for (const list of parts.values()) if (list.some((g) => g.storage === storage)) return true;
    return false;
  };
  const addUp = () => {
    const tensors = [...parts.keys()], given = [...parts.values()];
    parts.clear();
    for (const t of tensors) grads.delete(t);
    const sums = visit(free(given.flat()), () => totals(given));
    tensors.forEach((t, i) => grads.set(t, sums[i]));
  };
  for (const t of [...path].reverse()) {
    if (!t.node || !grads.has(t)) continue;
    const { inputs, backward } = t.node;
    const need = inputs.map((input) => path.has(input));
    if (!need.includes(true)) continue;
    if (parts.has(t)) addUp();
    const dy = grads.get(t)!;
    if (!wanted.has(t)) grads.delete(t);
    visit(free([dy]), () => backward(dy, need)).forEach((dx, i) => {
      if (!dx || !need[i]) return;
      const input = inputs[i], before = grads.get(input), known = parts.get(input);
      if (known) known.push(dx);
      else if (before) parts.set(input, [before, dx]);
      else grads.set(input, dx);
    });
  }
  addUp();
  return grads;
}

/** What lies on a path from one of `xs` to one of `ys`, inputs before outputs. */
function between(xs: readonly Tensor[], ys: readonly Tensor[]): Set<Tensor> {
  const path = new Set<Tensor>(), seen = new Set<Tensor>(), wanted = new Set(xs);
  // A stack of our own: a deep network would overflow the engine's.
  const stack: [Tensor, boolean][] = ys.map((y) => [y, false]);
  while (stack.length) {
    const [t, done] = stack.pop()!;
    if (done) {
      if (wanted.has(t) || t.node?.inputs.some((input) => path.has(input))) path.add(t);
    } else if (!seen.has(t)) {
      seen.add(t);
      stack.push([t, true]);
      for (const input of t.node?.inputs ?? []) if (!seen.has(input)) stack.push([input, false]);
    }
  }
  return path;
}
