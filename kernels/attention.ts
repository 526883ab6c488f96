/**
 * Attention with a streaming softmax: the map of all queries by all keys is never held.
 *
 * An invocation holds one row (a query, or in the backward pass a key) and its sums in registers, while
 * the rows of the other side stream past. Those are the same for a whole workgroup, so that their
 * loads are uniform or shared. There are no barriers.
 *
 * @module
 */
import wgsl from "./attention.wgsl" with { type: "text" };
import { type Kernel, kernel } from "../gpu/kernel.ts";
import { memo } from "../gpu/memo.ts";
import type { Bindable, Bound } from "../gpu/bind.ts";
import { run } from "../gpu/run.ts";
import { deviceInfo } from "../gpu/device.ts";
import { gpu } from "../gpu/gpu.ts";
import { expand } from "../gpu/wgsl.ts";
import { apply, isRecording, reshape } from "../tensor/op.ts";
import { empty, type Tensor } from "../tensor/tensor.ts";
import { mul, sub } from "./elementwise.ts";
import { matmul } from "./matmul.ts";
import { inParts, partsThatFit } from "./parts.ts";
import { fitsTexture, type Layout, type Load, pack, plain } from "./panel.ts";
import { sum } from "./reduce.ts";
import { softmax } from "./softmax.ts";

/** How the kernels are unrolled, and where they read from. Results depend on it by rounding only. */
export interface AttentionPlan {
  /** From storage textures, for the software device, or from buffers. */
  readonly load: "texture" | "buffer";
  /** Rows that an invocation holds. */
  readonly held: number;
  /** Passing rows per iteration, which divides the number of reads and writes of sums. */
  readonly block: number;
  /** vec4 of sums for each row held, at most; wider values are computed in slices. */
  readonly sums: number;
  /**
   * Invocations of a workgroup that is one subgroup: each loads one passing row for all of them; 0
   * where each loads all rows by itself.
   */
  readonly share: number;
  /** Workgroups wanted in the backward pass, for which sums are split into parts. */
  readonly fill: number;
}

const ALONE = 64; // invocations of a workgroup that do not share
const LEAST = 32; // streamed rows that are worth a part
const LONGEST = 100_000; // rows; the software device ends loops at 65,535 iterations

function standardPlan(): AttentionPlan {
  const { software, sharing, lanes } = deviceInfo();
  return software
    ? { load: "texture", held: 4, block: 2, sums: 8, share: sharing ? lanes : 0, fill: 1 }
    : { load: "buffer", held: 2, block: 4, sums: 8, share: 0, fill: 2112 };
}

/**
 * `y[n, i] = sum_j softmax_j(q[n, i] . k[n, j]) v[n, j]`.
 *
 * Its gradient streams as well; a recorded gradient, for second derivatives, stores the map.
 *
 * @param q Queries, `[N, I, d]`.
 * @param k Keys, `[N, J, d]`.
 * @param v Values, `[N, J, e]`.
 * @returns `[N, I, e]`.
 * @throws {RangeError} If shapes do not fit.
 * @see Rabe & Staats 2021, https://arxiv.org/abs/2112.05682; Dao et al. 2022, appendix B.4
 */
export function attention(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  plan: AttentionPlan = standardPlan(),
): Tensor {
  const [N, I, d] = q.shape, [, J, e] = v.shape;
  const fits = [q, k, v].every(({ shape }) => shape.length === 3 && shape[0] === N) &&
    k.shape[1] === J && k.shape[2] === d && Math.max(I, J) <= LONGEST;
  if (!fits) {
    throw new RangeError(
      `attention: got q [${q.shape}], k [${k.shape}], v [${v.shape}], expected ` +
        `[N, I, d], [N, J, d], [N, J, e] with I and J up to ${LONGEST}`,
    );
  }
  if (plan.load === "texture" && ![q, v].every((x) => fitsTexture(layoutOf(x)))) {
    plan = { ...plan, load: "buffer" };
  }
  const { kernels, slices } = family({ plan, d, e }), sums = empty([N, I]); // log sum_j e^(q . k)
  const laid = (x: Tensor) => rowsOf(x, plan.load);
  const { stream, streamInto } = streams(plan, N);
  gpu().counters.flop += 2 * N * I * J * (d + e);
  return apply({
    op: "attention",
    inputs: [q, k, v],
    shape: [N, I, e],
    forward: (y) => {
      const bound = { held: laid(q), passing: laid(k), passing_wide: laid(v), result: y, sums };
      stream(kernels.forward, bound, [I, J], slices);
    },
    backward: (dy, y, need) => {
      if (isRecording()) return plainGradients(q, k, v, dy);
      const [dq, dk, dv] = [q, k, v].map(({ shape }) => empty(shape));
      const delta = sum(mul(dy, y), [2]); // [N, I]
      const [Q, K, V, dY] = [q, k, v, dy].map(laid);
      const ofQueries = { held: Q, held_wide: dY, passing: K, passing_wide: V };
      const ofKeys = { held: K, passing: Q, passing_wide: dY, sums };
      gpu().counters.flop += 2 * N * I * J * (2 * d + e);
      streamInto(dq, kernels.queries, { ...ofQueries, sums, delta }, [I, J]);
      if (need[1]) {
        gpu().counters.flop += 2 * N * I * J * (2 * d + e);
        streamInto(dk, kernels.keys, { ...ofKeys, held_wide: V, delta }, [J, I]);
      }
      if (need[2]) {
        gpu().counters.flop += 2 * N * I * J * (d + e);
        streamInto(dv, kernels.values, ofKeys, [J, I], slices);
      }
      return [dq, need[1] ? dk : null, need[2] ? dv : null];
    },
  });
}

/** How many rows are held, and how many others pass them. */
type Lengths = readonly [rows: number, others: number];

/** What streams the rows of `N` images past others. */
function streams(plan: AttentionPlan, N: number) {
  const groupsOf = (rows: number) => Math.ceil(rows / ((plan.share || ALONE) * plan.held));
  const stream = (
    k: Kernel,
    bound: Bound,
    [rows, others]: Lengths,
    slices = 1,
    parts = 1,
  ) => {
    const perPart = Math.ceil(others / parts / (plan.share || 1)) * (plan.share || 1);
    const grid = [groupsOf(rows), N, slices * parts] as const;
    run(k, bound, { rows, others, images: N, parts, perPart }, grid);
  };
  // The same into `to`, split into parts where there would be few workgroups.
  const streamInto = (
    to: Tensor,
    k: Kernel,
    bound: Bound,
    [rows, others]: Lengths,
    slices = 1,
  ) => {
    const wanted = Math.ceil(plan.fill / (groupsOf(rows) * N * slices));
    const most = Math.min(wanted, Math.floor(others / LEAST), partsThatFit(to.size));
    const parts = Math.max(1, most);
    inParts(
      to,
      parts,
      (result) => stream(k, { ...bound, result }, [rows, others], slices, parts),
    );
  };
  return { stream, streamInto };
}

function layoutOf({ shape: [N, I, d] }: Tensor): Layout {
  return plain([N, I, 1, d], Math.ceil(d / 4) * 4);
}

/** `[N, I, d]` as the kernels read it: by four channels, with zeros beyond the last. */
function rowsOf(x: Tensor, load: Load): Bindable {
  const asIs = load === "buffer" && x.shape[2] % 4 === 0;
  return asIs ? x : pack(x, layoutOf(x), load).resource;
}

/**
 * The map itself, `softmax_j(q . k)`, `[N, I, J]`: to look at, of a few images.
 *
 * @param q `[N, I, d]`.
 * @param k `[N, J, d]`.
 */
export function attentionMap(q: Tensor, k: Tensor): Tensor {
  return softmax(matmul(q, k, { b: true }));
}

/** The same by ops that have gradients of every order. */
function plainGradients(q: Tensor, k: Tensor, v: Tensor, dy: Tensor): Tensor[] {
  const P = attentionMap(q, k), dP = matmul(dy, v, { b: true });
  const [N, I] = P.shape;
  const dS = mul(P, sub(dP, reshape(sum(mul(P, dP), [2]), [N, I, 1])));
  return [matmul(dS, k), matmul(dS, q, { a: true }), matmul(P, dy, { a: true })];
}

interface Family {
  readonly kernels: Readonly<Record<keyof typeof ENTRIES, Kernel>>;
  /** Number of slices in which the channels of the values are computed. */
  readonly slices: number;
}

/** The values that distinguish the entry points, as in the table of attention.wgsl. */
const ENTRIES = {
  forward: { QUERIES: true, BACK: false, SLICED: true },
  queries: { QUERIES: true, BACK: true, SLICED: false },
  keys: { QUERIES: false, BACK: true, SLICED: false },
  values: { QUERIES: false, BACK: true, SLICED: true },
};

/** For queries and keys of `d` channels and values of `e`. */
const family = memo(({ plan, d, e }: { plan: AttentionPlan; d: number; e: number }): Family => {
  const label = `attention d${d} e${e} ${Object.values(plan).join("-")}`;
  const D = Math.ceil(d / 4), E = Math.ceil(e / 4), slices = Math.ceil(E / plan.sums);
  const PER = Math.ceil(E / slices), { held, block, share } = plan;
  const entry = (ENTRY: keyof typeof ENTRIES) => {
    const { SLICED } = ENTRIES[ENTRY];
    const source = expand({ name: "attention.wgsl", text: wgsl }, {
      ...{ ENTRY, ...ENTRIES[ENTRY], TEXTURES: plan.load === "texture", SHARE: share > 0 },
      ...{ HELD: held, BLOCK: block, TURN: share || block, LANES: share || ALONE, D, E, PER },
      ...{ PASSING_WIDE: SLICED ? PER : E, SUMS: SLICED ? PER : D, WIDTH: SLICED ? e : d },
    });
    return kernel(label, source, ENTRY);
  };
  const kernels = {
    forward: entry("forward"),
    queries: entry("queries"),
    keys: entry("keys"),
    values: entry("values"),
  };
  return { kernels, slices };
});
