/** Decodes images for tests/fuzz_test.ts, where a decoder that hangs can be ended. */
import { parentPort } from "node:worker_threads";
import { decode } from "../data/decode.ts";
import { FEW_PIXELS } from "./mutated_files.ts";

parentPort!.on("message", (bytes: Uint8Array) => {
  try {
    const { width, height } = decode(bytes, FEW_PIXELS);
    parentPort!.postMessage({ answer: [width, height] });
  } catch (error) {
    const { name, message } = error as Error;
    parentPort!.postMessage({ refused: name === "Error" ? message : String(error), isTold: false });
  }
});
