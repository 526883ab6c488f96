/** Exported ONNX models of all systems make our images in ONNX Runtime: see tests/oracle/onnx.ts. */
import { assertEquals } from "@std/assert";
import { openGpu } from "../gpu/engines/deno.ts";
import { writeCases } from "./exported.ts";
import { inFolder } from "./support.ts";
await openGpu();

Deno.test("ONNX Runtime makes the images of each exported model to 1e-4", () =>
  inFolder(async (folder) => {
    await writeCases(folder);
    const oracle = new URL("./oracle/onnx.ts", import.meta.url).pathname;
    const args = ["run", "-A", "--no-lock", oracle, folder];
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), { args }).output();
    const [said, error] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
    assertEquals(code, 0, said + error);
    const names = [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
    assertEquals(said.trim().split("\n").slice(0, -1).map((line) => line.split(" ")[0]), names);
  }));
