import { Tensor } from "../tensor/tensor.ts";
import type { Context } from "./context.ts";

/** Where an error arose: the innermost module, and what was said there. */
const PLACE = Symbol("place");

/**
 * A part of a network: its tensors and parts are its fields, and nothing else is its state.
 *
 * The path of a field, as in `blocks.0.conv.weight`, is the tensor's name in a checkpoint.
 */
export abstract class Module {
  constructor() {
    const forward = this.forward;
    // Hides the class's method, so that an error tells which part of a network it arose in.
    Object.defineProperty(this, "forward", {
      ...{ writable: true, configurable: true },
      value: (...given: Parameters<typeof forward>) => {
        try {
          return forward.apply(this, given);
        } catch (error) {
          throw this.#locate(error);
        }
      },
    });
  }

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

  /** Itself, with its own path, and every part inside, parts after what holds them. */
  *namedModules(path = ""): Generator<[string, Module]> {
    yield [path, this];
    const prefix = path === "" ? "" : `${path}.`;
    for (const [key, value] of Object.entries(this)) yield* within(value, prefix + key);
  }

  /** What an optimiser trains, in the order of the paths. */
  parameters(): Tensor[] {
    return [...this.named()].filter(([, t]) => t.isParam).map(([, t]) => t);
  }

  /** What is kept beside the parameters: running statistics. */
  buffers(): Tensor[] {
    return [...this.named()].filter(([, t]) => !t.isParam).map(([, t]) => t);
  }

  /** Puts the path from here to the innermost part that an error passed before its message. */
  #locate(error: unknown): unknown {
    if (!(error instanceof Error)) return error;
    const known = error as Error & {
      [PLACE]?: { readonly part: Module; readonly message: string };
    };
    const { part, message } = known[PLACE] ??= { part: this, message: error.message };
    const found = [...this.namedModules()].find(([, module]) => module === part);
    if (found?.[0]) error.message = `${found[0]}: ${message}`;
    return error;
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

function* within(value: unknown, path: string): Generator<[string, Module]> {
  if (value instanceof Module) yield* value.namedModules(path);
  else if (Array.isArray(value) || value && Object.getPrototypeOf(value) === Object.prototype) {
    for (const [key, part] of Object.entries(value)) yield* within(part, `${path}.${key}`);
  }
}
