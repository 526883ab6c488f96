import { assert, assertEquals, assertRejects } from "@std/assert";
import { CheckpointError } from "./errors.ts";
import { decodeTorch, isTorch } from "./torch_file.ts";

// What these hold, tests/oracle/torch_file.py says.
const read = (name: string) =>
  Deno.readFileSync(new URL(`../tests/fixtures/${name}`, import.meta.url));
const text = (s: string) => new TextEncoder().encode(s);

/** The older container's first number, then a program of one's own. */
function legacy(program: Uint8Array): Uint8Array<ArrayBuffer> {
  const head = read("tensors.legacy.pth").subarray(0, 15);
  return Uint8Array.from([...head, ...program]);
}

for (const container of ["zip", "legacy"]) {
  const bytes = read(`tensors.${container}.pth`);

  Deno.test(`${container}: tensors of all kinds are read, views and halves, too`, async () => {
    assert(isTorch(bytes));
    const { entries } = await decodeTorch(bytes, "t.pth");
    assertEquals(Object.fromEntries(entries), {
      "conv.weight": {
        dtype: "F32",
        shape: [2, 3, 2, 2],
        data: Float32Array.from({ length: 24 }, (_, i) => i),
      },
      "conv.bias": { dtype: "F32", shape: [3], data: Float32Array.of(0.5, 1.5, 2.5) },
      "part": { dtype: "F64", shape: [3, 2], data: Float64Array.of(3, 6, 4, 7, 5, 8) },
      "count": { dtype: "I64", shape: [], data: BigInt64Array.of(7n) },
    });
  });

  Deno.test(`${container}: a file that was cut short is refused wherever it ends`, async () => {
    for (let end = 2; end < bytes.length; end += 37) {
      await assertRejects(
        () => decodeTorch(bytes.slice(0, end), "t.pth"),
        CheckpointError,
        "t.pth is not a file of tensors",
      );
    }
  });
}

Deno.test("a name that no tensor needs is refused, and not called", async () => {
  for (
    const program of [
      text("cos\nsystem\n(S'true'\ntR."),
      text("cbuiltins\neval\n."),
      text("ctorch._utils\n_rebuild_tensor\n."),
      Uint8Array.from([0x8c, 2, ...text("os"), 0x8c, 6, ...text("system"), 0x93, 0x2e]), // STACK_GLOBAL
    ]
  ) {
    await assertRejects(
      () => decodeTorch(legacy(program), "bad.pth"),
      CheckpointError,
      "which no file of tensors needs",
    );
  }
  // An instance by class name, without a call.
  await assertRejects(
    () => decodeTorch(legacy(text("(ios\nsystem\n.")), "bad.pth"),
    CheckpointError,
    "the operation 0x69, unknown here",
  );
});

Deno.test("a storage's class cannot be called", async () => {
  await assertRejects(
    () => decodeTorch(legacy(text("ctorch\nFloatStorage\n)R.")), "bad.pth"),
    CheckpointError,
    "it calls FloatStorage",
  );
});

Deno.test("what is no file of tensors is told apart", async () => {
  assert(!isTorch(text("PNG")) && !isTorch(new Uint8Array(0)));
  await assertRejects(
    () => decodeTorch(read("dcgan.safetensors"), "x"),
    CheckpointError,
    "x is not",
  );
  await assertRejects(
    () => decodeTorch(text("PK but no zip"), "x"),
    CheckpointError,
    "x is not a file of tensors by torch.save",
  );
});
