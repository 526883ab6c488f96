import { assertEquals } from "@std/assert";
import { openGpu } from "../gpu/engines/deno.ts";
import { tensor } from "../tensor/tensor.ts";
import { Ledger } from "./ledger.ts";
await openGpu();

Deno.test("each loss has its own mean, of the steps since the last reading", async () => {
  const ledger = new Ledger(4), of = (value: number) => tensor([value], [1]);
  assertEquals(await ledger.read(), undefined);
  ledger.note({ dReal: of(1), dFake: of(10), g: of(100) });
  assertEquals(await ledger.read(), { dReal: 1, dFake: 10, g: 100 });
  for (const k of [2, 4]) {
    ledger.note({ dReal: of(k), dFake: of(10 * k), g: of(100 * k), penalty: of(1000 * k) });
  }
  assertEquals(await ledger.read(), { dReal: 3, dFake: 30, g: 300, penalty: 3000 });
  assertEquals(await ledger.read(), undefined);
});
