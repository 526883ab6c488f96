/** What `gan eval` takes, and says of itself. */
import { TOOLS } from "../eval/conventions.ts";
import { METRICS } from "../eval/metrics/registry.ts";
import { common, type Option, optionLines } from "./options.ts";

/** Its options. */
export const table: readonly Option[] = [
  { name: "run", kind: "text", help: "a run to evaluate: its folder, number or latest" },
  { name: "checkpoint", kind: "text", help: "a file of the run, or best; by default its newest" },
  {
    name: "real",
    kind: "text",
    help: "folder, zip or .npz; by default what the run was trained on",
  },
  {
    name: "fake",
    kind: "text",
    help: "folder, zip, .npz or checkpoint to evaluate instead of the run's",
  },
  {
    name: "held-out",
    kind: "text",
    help: "folder or zip of real images that were not trained on, for ct",
  },
  {
    name: "samples",
    kind: "count",
    help: "images to evaluate; of a folder or zip by default all",
    min: 2,
    max: 10_000_000,
  },
  { name: "real-samples", kind: "count", help: "of the real images only as many", min: 2 },
  {
    name: "like",
    kind: "text",
    help: "follow this tool, see above",
    choices: Object.keys(TOOLS),
  },
  {
    name: "feature",
    kind: "text",
    help: "where in Inception; is takes its logits; or face, of a network that tells faces apart",
    choices: ["64", "192", "768", "2048", "face"],
  },
  {
    name: "weights",
    kind: "text",
    help: "Inception's file, .pth or safetensors; for face its .bin",
  },
  {
    name: "resolution",
    kind: "count",
    help: "make files squares of this side first, as for training",
    min: 1,
  },
  { name: "crop", kind: "text", help: "of real images: WxH+X+Y, center (square), none" },
  { name: "fake-crop", kind: "text", help: "the same of a folder or zip to evaluate" },
  {
    name: "resize",
    kind: "text",
    help: "how to --resolution",
    choices: ["area", "bilinear", "nearest"],
  },
  {
    name: "seed",
    kind: "count",
    help: "of latents [0], KID's subsets [0] and the Inception Score's order [2020]",
    max: 2 ** 32 - 1,
  },
  { name: "subsets", kind: "count", help: "KID's subsets", min: 1 },
  { name: "subset-size", kind: "count", help: "images in each", min: 2 },
  {
    name: "k",
    kind: "count",
    help: "neighbours [3 for precision and recall, 5 for density and coverage]",
    min: 1,
  },
  { name: "count", kind: "count", help: "nearest: images on the sheet [16]", min: 1, max: 200 },
  { name: "to", kind: "text", help: "nearest: the sheet's file, .png [nearest.png]" },
  { name: "save-stats", kind: "text", help: "write the real images' statistics to this .npz" },
  { name: "out", kind: "text", help: "folder of runs, and of what is kept of real images" },
  ...common,
];

/** What `--help` prints. */
export const help = [
  "Tells how good images are.",
  "",
  "  gan eval all --run latest                 one table of all metrics, with their floors",
  "  gan eval fid --run latest                 Frechet Inception distance of a run's generator",
  "  gan eval fid,kid --run latest             a table of some",
  "  gan eval fid --run 3 --fake other.zip     other images, against the same real ones",
  "  gan eval kid --real faces.zip --fake made kernel distance of two sets of images",
  "  gan eval nearest --run 3                  a sheet: fakes and the nearest training images",
  "  gan eval fid --real a --fake b --like clean-fid",
  "                                            the number that clean-fid gives",
  "",
  "Metrics:",
  ...METRICS.map(({ name, about, source }) =>
    `  ${name.padEnd(12)}${about}\n              ${source}`
  ),
  "",
  "Only the 2048-dimensional distance is called FID; the others are FID-64, FID-192, FID-768.",
  "Beside each distance stands its floor: that of real images to other real images, as many.",
  "",
  "Tools differ in files, resizing and formulas, so their numbers do, too. --like follows one of",
  "them in everything; without it numbers are pytorch-fid's, of all images in zips and subfolders.",
  "",
  "  pytorch-fid      fid: bilinear; images of one folder by endings in lower case",
  "  clean-fid        fid, kid: Pillow's bicubic; subfolders and zips",
  "  torch-fidelity   fid, kid, is, pr: TensorFlow 1's bilinear; subsets and order by seed 2020",
  "  stylegan3        fid, kid, is, pr: covariances over N; equal to it on equal features only",
  "  prdc             pr: k = 5 and < for all four, on Inception's features",
  "",
  "pytorch-fid has no kid, is or pr: there only images enter as in it; KID draws as clean-fid, with",
  "a seed, the Inception Score shuffles as torch-fidelity, density and coverage compare as prdc.",
  "",
  "Images enter Inception from their own width and height (those of a run as it was trained).",
  "",
  "Options [default]:",
  ...optionLines(table, {
    samples: 10_000,
    feature: "2048",
    like: "pytorch-fid",
    subsets: 100,
    subsetSize: 1000,
    out: "runs",
    crop: "none",
    fakeCrop: "none",
    resize: "area",
  }),
].join("\n");
