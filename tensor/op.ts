/** Records how a tensor was computed, so that its gradient can be found. */
import { gpu } from "../gpu/gpu.ts";
import type { Storage } from "../gpu/memory.ts";
import { checkShape, empty, type Shape, sizeOf, Tensor } from "./tensor.ts";

/** One application of an op: its inputs, its result and its backward rule. */
export interface Application {
  /** Name, for messages. */
  readonly op: string;
  /** The tensors that a gradient may flow to. */
  readonly inputs: readonly Tensor[];
  /** Of the result. */
  readonly shape: Shape;
  /** Where the result goes; a new place if left out. */
  readonly place?: Storage;
  /** Fills `y`. */
  readonly forward: (y: Tensor) => void;
  /**
   * The backward rule: one gradient for each input, made of ops; null where none flows or none is needed.
   * Left out where there is none, as for a fused gradient.
   */
  readonly backward?: (
    dy: Tensor,
    y: Tensor,
    need: readonly boolean[],
  ) => readonly (Tensor | null)[];
}

/** Who is told of each op's result on a device, where somebody is: `gpu().of(Listener)`. */
export class Listener {
  /** @param y What `op` made of `inputs`. */
  hear: ((op: string, y: Tensor, inputs: readonly Tensor[]) => void) | undefined;
}

let recording = true;

/** Runs `body` without recording a graph. */
export function noGrad<T>(body: () => T): T {
  const before = recording;
  recording = false;
  try {
    return body();
  } finally {
    recording = before;
  }
}

/** Whether what is computed now is remembered, so that it has a gradient. */
export function isRecording(): boolean {
  return recording;
}

/** Computes an op and, unless in {@linkcode noGrad}, records its backward rule. */
export function apply({ op, inputs, shape, place, forward, backward }: Application): Tensor {
  checkShape(op, shape);
  const y = place ? new Tensor(shape, place) : empty(shape);
  forward(y);
  gpu().of(Listener).hear?.(op, y, inputs);
  if (recording) remember(y, op, inputs, backward);
  return y;
}

/** The same elements under another shape; nothing is copied. */
export function reshape(x: Tensor, shape: Shape): Tensor {
  if (sizeOf(shape) !== x.size) {
    throw new RangeError(`reshape: [${x.shape}] has ${x.size} elements, [${shape}] has not`);
  }
  const y = new Tensor(shape, x.storage);
  if (recording) remember(y, "reshape", [x], (dy) => [reshape(dy, x.shape)]);
  return y;
}

/** The same values, of which no gradient is asked: a constant. */
export function constant(x: Tensor): Tensor {
  return new Tensor(x.shape, x.storage);
}

function remember(
  y: Tensor,
  op: string,
  inputs: readonly Tensor[],
  backward: Application["backward"],
): void {
  y.node = {
    op,
    inputs,
    backward: (dy, need) => {
      if (!backward) throw new Error(`${op}: there is no gradient of this gradient`);
      return backward(dy, y, need);
    },
  };
}
