import { Tensor } from "../tensor/tensor.ts";
import type { Context } from "./context.ts";

/**
 * A part of a network: its tensors and parts are its fields, and nothing else is its state.
 *
 * The path of a field, as in `blocks.0.conv.weight`, is the tensor's name in a checkpoint.
 */
export abstract class Module {
  /**
   * Applies it.
   *
   * @param context What else the result depends on; nothing of it is a hidden mode.
   */
  abstract forward(x: Tensor, context: Context): Tensor;

  /** Every tensor inside, with its path. */
  *named(prefix = ""): Generator<[string, Tensor]> {
    for (const [key, value] of Object.entries(this)) yield* walk(value, prefix + key);
  }

  /** Itself and every part inside, parts after what holds them. */
  *modules(): Generator<Module> {
    yield this;
    for (const value of Object.values(this)) yield* within(value);
  }

  /** What an optimiser trains, in the order of the paths. */
  parameters(): Tensor[] {
    return [...this.named()].filter(([, t]) => t.isParam).map(([, t]) => t);
  }

  /** What is kept beside the parameters: running statistics. */
  buffers(): Tensor[] {
    return [...this.named()].filter(([, t]) => !t.isParam).map(([, t]) => t);
  }
}

function* walk(value: unknown, path: string): Generator<[string, Tensor]> {
  if (value instanceof Tensor) yield [path, value];
  else if (value instanceof Module) yield* value.named(`${path}.`);
  else if (Array.isArray(value)) {
    for (const [i, part] of value.entries()) yield* walk(part, `${path}.${i}`);
  } else if (value && Object.getPrototypeOf(value) === Object.prototype) {
    for (const [key, part] of Object.entries(value)) yield* walk(part, `${path}.${key}`);
  }
}

function* within(value: unknown): Generator<Module> {
  if (value instanceof Module) yield* value.modules();
  else if (Array.isArray(value) || value && Object.getPrototypeOf(value) === Object.prototype) {
    for (const part of Object.values(value)) yield* within(part);
  }
}
