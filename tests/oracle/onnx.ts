/**
 * Runs exported ONNX models with ONNX Runtime and compares their images with ours, for tests/onnx_test.ts;
 * or by hand, after tests/exported.ts:
 *
 *     ./gan deno run -A --no-lock tests/oracle/onnx.ts /tmp/exported
 *
 * It is no dependency and not in the lock file, as Deno fetches all that is in it at the first command of
 * every user, and this package takes 140 MB.
 */
import { loadSafetensors } from "../../io/safetensors.ts";

const LIBRARY = "npm:onnxruntime-web@1.30.0", MOST = 1e-4;
// By a name that is computed: it is no dependency.
const { env, InferenceSession, Tensor } = await import(LIBRARY);
env.wasm.numThreads = 1; // Deno has no threads for it

let wrong = 0;
for (
  const { name } of [...Deno.readDirSync(Deno.args[0])].sort((a, b) => a.name < b.name ? -1 : 1)
) {
  const folder = `${Deno.args[0]}/${name}`;
  const { entries } = await loadSafetensors(`${folder}/expected.safetensors`);
  const latents = entries.get("latents")!, expected = entries.get("images")!;
  const session = await InferenceSession.create(await Deno.readFile(`${folder}/generator.onnx`));
  const input = new Tensor("float32", latents.data as Float32Array, latents.shape);
  const { images } = await session.run({ latents: input });
  const data = images.data as Float32Array;
  let largest = images.dims.join() === expected.shape.join() ? 0 : Infinity;
  for (let i = 0; i < data.length; i++) {
    largest = Math.max(largest, Math.abs(data[i] - Number(expected.data[i])));
  }
  if (!(largest <= MOST)) wrong++;
  console.log(`${name.padEnd(14)} largest difference ${largest.toExponential(1)}`);
}
console.log(`ONNX Runtime 1.30.0: ${wrong ? "WRONG" : "equal"} to ${MOST}`);
Deno.exit(wrong ? 1 : 0);
