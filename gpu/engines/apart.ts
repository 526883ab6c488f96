import { createHash } from "node:crypto";
import { dirname } from "@std/path";
import { type Apart, type Compilation, slotOf } from "../ahead.ts";
import type { Gpu } from "../gpu.ts";
import { hasNarrowVectors } from "../narrow_vectors.ts";
import { CODE_FOLDER, codeFolder } from "./helper.ts";
import { compileNarrow, compilesIn, type Order } from "./narrow.ts";
import { denoProgram, driverOf } from "./vectors.ts";

const WIDE = 16; // lanes of 512 bits

/** What is kept beside Mesa's machine code, and goes with it. */
interface Known {
  readonly driver: string;
  /** Whether the device uses machine code of narrow vectors. */
  readonly mixes: boolean;
  /** Hashes of the kernels that have it. */
  readonly kernels: readonly string[];
}

/**
 * Whether a kernel is faster with 256 bits: all that reads and writes buffers alone. Those that share
 * among lanes are made for so many.
 */
export function isNarrow({ code, bindings }: Compilation["kernel"]): boolean {
  const readsTextures = bindings.some(({ layout: { storageTexture } }) =>
    storageTexture?.access === "read-only"
  );
  return !readsTextures && !/\bsubgroup/.test(code);
}

/** Compiles kernels with narrow vectors for a device of wide ones, if that driver mixes them. */
export async function compileApart(
  g: Gpu,
  all: readonly Compilation[],
): Promise<Apart | undefined> {
  const folder = g.info.lanes === WIDE ? await codeFolder() : undefined;
  return folder === undefined ? undefined : await compileInto(folder, g, all);
}

/** The same, into Mesa's cache in a folder. */
export async function compileInto(
  folder: string,
  g: Gpu,
  all: readonly Compilation[],
): Promise<Apart | undefined> {
  const file = `${folder}/${CODE_FOLDER}/webgan-narrow.json`, driver = await driverOf();
  const kept: Partial<Known> = await Deno.readTextFile(file).then(JSON.parse).catch(() => ({}));
  const known = kept.driver === driver ? kept : {}, has = new Set(known.kernels);
  if (known.mixes === false) return undefined;
  const open = all.filter((one) => isNarrow(one.kernel) && !has.has(hashOf(one)));
  if (open.length === 0) return undefined;
  const compile = async () => {
    const deno = denoProgram(), order = orderOf(g, open);
    const mixes = known.mixes ?? await mixesWidths(deno, folder, order);
    const done = mixes && await compileNarrow({ deno, folder }, order);
    const kernels = [...has, ...done ? open.map(hashOf) : []];
    await Deno.mkdir(dirname(file), { recursive: true });
    await Deno.writeTextFile(file, JSON.stringify({ driver, mixes, kernels } satisfies Known));
  };
  return { kernels: new Set(open), done: compile() };
}

/** Whether code that was compiled with 256 bits is used with 512, and computes as it did. */
async function mixesWidths(deno: string, folder: string, order: Order): Promise<boolean> {
  const trial = { ...order, kernels: [], test: hasNarrowVectors() };
  return await compileNarrow({ deno, folder }, trial) &&
    await compilesIn({ deno, bits: 512, folder }, trial);
}

function orderOf({ device, info }: Gpu, kernels: readonly Compilation[]): Order {
  return {
    features: [...device.features],
    limits: info.limits,
    kernels: kernels.map(({ kernel, constants, sizes, params }) => ({
      ...{ kernel, sizes, slot: slotOf({ kernel, constants, sizes, params }) },
      parts: { ...kernel, constants },
    })),
  };
}

function hashOf({ kernel: { code, entryPoint }, constants, params, sizes }: Compilation): string {
  const text = JSON.stringify([code, entryPoint, constants, params, sizes]);
  return createHash("sha256").update(text).digest("hex").slice(0, 24);
}
