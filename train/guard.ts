/**
 * Finds NaN and infinity while a run goes on, and where they come from.
 *
 * Optimisers stop by themselves, on the device, at the first gradient that is not finite; in half precision,
 * where larger scales of the loss than a step bears are common, when no scale is small enough (27 steps after
 * the first scale, 2^16). So weights are still good when the host hears of it, and the step that failed can be
 * made again. Of the layers' statistics only half precision needs a look: a step that is left out has moved them.
 *
 * @module
 */
import { clear } from "../gpu/copy.ts";
import { gpu } from "../gpu/gpu.ts";
import { release, type Storage, storage } from "../gpu/memory.ts";
import { peek, read } from "../gpu/read.ts";
import { nonFinite, noteNonFinite } from "../kernels/finite.ts";
import { Listener } from "../tensor/op.ts";
import { scoped, type Tensor } from "../tensor/tensor.ts";
import { BreakdownError } from "./errors.ts";
import { type State, tensors } from "./state.ts";

const EVERY_MS = 250; // from one look to the next
const MOST_OPS = 1 << 16;

/** Looks now and then whether optimisers have come across NaN or infinity; the device does not wait. */
export class Guard {
  readonly #state: State;
  #at = performance.now();
  #look: Promise<boolean> | undefined;
  #isSeen = false;

  constructor(state: State) {
    this.#state = state;
  }

  /**
   * Follows a step: takes in the last look, if it is at its end, and begins the next one when it is time.
   *
   * @param again Makes one more step, of which nothing is kept.
   * @throws {BreakdownError} If a look found something.
   */
  async stepped(again: () => void): Promise<void> {
    if (this.#isSeen) await this.#takeIn(again);
    if (this.#look || performance.now() - this.#at < EVERY_MS) return;
    this.#at = performance.now();
    const seen = () => this.#isSeen = true, look = this.#look = hasOverflown(this.#state, peek);
    look.then(seen, seen);
  }

  /** Looks now, and waits for it; otherwise as {@linkcode Guard.stepped}. */
  async check(again: () => void): Promise<void> {
    await this.#takeIn(again);
    this.#look = hasOverflown(this.#state);
    await this.#takeIn(again);
  }

  async #takeIn(again: () => void): Promise<void> {
    const isBad = await this.#look;
    this.#look = undefined;
    this.#isSeen = false;
    if (isBad) throw await breakdown(this.#state, again);
  }
}

/** Whether an optimiser, or a layer in half precision, has come across NaN or infinity. */
async function hasOverflown({ G, D, optG, optD, options }: State, by = read): Promise<boolean> {
  const looks = [optG, optD].map((opt) => opt.hasOverflown(by));
  if (options.precision === "f16") {
    const trained = new Set([...optG.params, ...optD.params]);
    const all = [G, D].flatMap((net) => [...net.named()].map(([, t]) => t));
    const look = nonFinite(all.filter((t) => !trained.has(t)), by);
    looks.push(look.then((found) => found.length > 0));
  }
  return (await Promise.all(looks)).includes(true);
}

/** The error that names what is not finite, and where it began. */
async function breakdown(state: State, again: () => void): Promise<BreakdownError> {
  const { name, isCause = false } = await firstBad(state) ?? {};
  const what = name === undefined
    ? "a gradient was NaN or infinite"
    : `${name} holds NaN or infinity`;
  // What is wrong with weights came from no op of this step.
  const op = isCause ? undefined : await firstBadOp(state, again);
  return new BreakdownError(
    `Training broke down near image ${state.images}: ${what}${
      op ? `, which began in ${op}` : ""
    }; ` +
      adviceFor(state),
  );
}

interface Bad {
  readonly name: string;
  /** Whether it is a weight or a moment, from which all else follows. */
  readonly isCause: boolean;
}

/** The first tensor of a state that is not finite: causes before what follows from them. */
async function firstBad(state: State): Promise<Bad | undefined> {
  const { G, D, optG, optD } = state;
  const paths = [["D", D, optD], ["G", G, optG]] as const; // as a step computes them
  const gradients = paths.flatMap(([prefix, net, { params, parts }]) =>
    [...net.named()].flatMap(([name, t]): [string, Tensor][] => {
      const i = params.indexOf(t);
      return i < 0 ? [] : [[`the gradient of ${prefix}.${name}`, parts[i]]];
    })
  );
  const trained = new Set<Tensor>([...optG.params, ...optD.params]), all = [...tensors(state)];
  const isCause = ([name, t]: [string, Tensor]) => name.startsWith("adam.") || trained.has(t);
  const causes = all.filter((one) => isCause(one));
  // Layers' statistics, and the average. In half precision infinite gradients are common.
  const others = all.filter((one) => !isCause(one));
  const order = [...causes, ...others, ...gradients];
  const [first] = await nonFinite(order.map(([, t]) => t));
  return order[first] && { name: order[first][0], isCause: first < causes.length };
}

/** What to do about a run that has broken down. */
export function adviceFor({ options: { precision } }: State): string {
  return "start again with a lower --lr-g and --lr-d" +
    (precision === "f16" ? ", or with --precision f32" : "");
}

/** The first op of a step whose result is not finite, with the tensor of the state that it reads. */
async function firstBadOp(state: State, step: () => void): Promise<string | undefined> {
  const names = new Map<Storage, string>(), ops: string[] = [];
  for (const [name, { storage }] of tensors(state)) names.set(storage, name);
  const flags = storage(4 * MOST_OPS), listener = gpu().of(Listener);
  clear(flags);
  listener.hear = (op, y, inputs) => {
    if (ops.length === MOST_OPS) return;
    noteNonFinite(y, flags, ops.length);
    const read = inputs.flatMap(({ storage }) => names.get(storage) ?? [])[0];
    ops.push(`${op} [${y.shape}]${read ? ` of ${read}` : ""}`);
  };
  try {
    scoped(step);
  } finally {
    listener.hear = undefined;
  }
  const copied = read(flags, 4 * ops.length);
  release(flags);
  const first = new Uint32Array(await copied).findIndex((flag) => flag !== 0);
  return ops[first];
}
