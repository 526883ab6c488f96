/**
 * Makes tests/fixtures/face.json: what face-api.js (npm @vladmandic/face-api 1.7.15, TensorFlow.js 4.22.0 on
 * "cpu") makes of drawn images with drawn weights. Given the path of a `.bin`, it prints the same of
 * those weights:
 *
 *     ./gan deno run -A --no-lock tests/oracle/face.ts
 */
import { drawnFace, drawnImage } from "../drawn_face.ts";

const IMAGES = 2;

// It takes Deno for Node, and wants things of Node that are not there: so it is shown a browser.
const { process: _, ...shown } = { process: 0, window: globalThis, document: {} };
Reflect.deleteProperty(globalThis, "process");
Object.assign(globalThis, shown);
const LIBRARY = "npm:@vladmandic/face-api@1.7.15/dist/face-api.esm.js";
const face = await import(LIBRARY); // by a name that is computed: it is no dependency
const none = class {};
face.env.setEnv({
  ...{ Canvas: none, CanvasRenderingContext2D: none, Image: none, ImageData: none, Video: none },
});
await face.tf.setBackend("cpu");
await face.tf.ready();

const { bin, manifest } = Deno.args.length
  ? {
    bin: await Deno.readFile(Deno.args[0]),
    manifest: JSON.parse(
      await Deno.readTextFile(Deno.args[0].replace(/\.bin$/, "-weights_manifest.json")),
    ),
  }
  : drawnFace();
const net = new face.FaceRecognitionNet();
net.loadFromWeightMap(
  face.tf.io.decodeWeights(bin.buffer, (manifest as { weights: object }[])[0].weights),
);
const faces: number[][] = [];
for (let n = 0; n < IMAGES; n++) {
  const image = face.tf.tensor4d(Float32Array.from(drawnImage(n)), [1, 150, 150, 3]);
  const made: Float32Array = await (await net.forward(image)).data();
  faces.push(Array.from(made, (x) => Number(x.toPrecision(8))));
}
if (Deno.args.length) console.log(JSON.stringify(faces));
else {
  const to = new URL("../fixtures/face.json", import.meta.url);
  await Deno.writeTextFile(to, JSON.stringify({ faces }) + "\n");
}
