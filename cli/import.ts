import { basename } from "@std/path";
import { discriminatorWidth, importedState, sourceOf } from "../export/load.ts";
import { openGpu } from "../gpu/engines/deno.ts";
import { decodeSafetensors } from "../io/safetensors.ts";
import { CheckpointError } from "../io/errors.ts";
import { decodeTorch, isTorch } from "../io/torch_file.ts";
import { naming } from "../io/write_atomically.ts";
import { createRun } from "../run/new_run.ts";
import { savedOptions } from "../train/recipe.ts";
import { checkpointPath } from "../run/run_folder.ts";
import { saveState } from "../train/state.ts";
import { UsageError } from "./errors.ts";
import { common, type Option, optionLines, parse } from "./options.ts";
import { recipeOf } from "./recipes.ts";
import { absolute, checked, faultsIn } from "./run_options.ts";

export const table: readonly Option[] = [
  {
    name: "discriminator",
    kind: "text",
    help: "netD of PyTorch's DCGAN example; else D begins anew",
  },
  { name: "data", kind: "text", help: "images to compare with and to train on" },
  { name: "out", kind: "text", help: "folder of runs" },
  ...common,
];

const help = [
  "Makes a run of weights, which is then sampled, evaluated and trained further.",
  "",
  "  gan import netG.pth --discriminator netD.pth --data faces.zip",
  "                                      PyTorch's DCGAN example (state dicts)",
  "  gan import made/model.safetensors   what gan export torch wrote",
  "",
  "Options [default]:",
  ...optionLines(table, { out: "runs" }),
].join("\n");

/** `gan import`. Returns the exit code. */
export async function importCommand(
  args: string[],
  print: (line: string) => void,
): Promise<number> {
  const { values, rest } = parse(args, table);
  if (values.help) {
    print(help);
    return 0;
  }
  if (rest.length !== 1) throw new UsageError("Name one file of weights: gan import FILE");
  const [path] = rest, contents = await read(path);
  const source = sourceOf(contents, path), other = values.discriminator as string | undefined;
  const discriminator = other === undefined ? undefined : { ...await read(other), where: other };
  const files = [contents, ...discriminator ? [discriminator] : []];
  const [prefix, prefixD] = files.map(({ metadata }) => metadata.prefix);
  const { recipe: name } = source.options, recipe = recipeOf(name);
  const ndf = discriminator && discriminatorWidth(discriminator.entries, other!);
  if (discriminator && name !== "dcgan") {
    throw new UsageError(`--discriminator is for PyTorch's DCGAN example, not for ${name}`);
  }
  const options = checked(
    recipe,
    absolute({ ...source.options, data: String(values.data ?? ""), ...ndf && { ndf } }),
  );
  const [fault] = faultsIn({ ...options }, options);
  if (fault) throw new UsageError(`${path}: options in its metadata: ${fault}`);
  await openGpu({ choice: values.device as string | undefined });
  const state = importedState(recipe, { ...source, options }, discriminator);
  const title = `${name}-imported-${options.resolution}`;
  const run = await createRun(
    String(values.out ?? "runs"),
    title,
    savedOptions(recipe, options),
  );
  await saveState(state, checkpointPath(run, state.images, options.snapshot));
  if (values.json) {
    print(
      JSON.stringify({ run, what: source.what, images: state.images, prefix, prefixD }),
    );
    return 0;
  }
  print(
    `${basename(path)}: ${source.what}${without(prefix)}`,
  );
  print(
    discriminator
      ? `The discriminator is from its file${without(prefixD)}; optimisers begin anew`
      : "The discriminator and the optimisers begin anew",
  );
  print(`${run}: gan sample ${run}, gan eval fid --run ${run}, gan train --resume ${run}`);
  return 0;
}

/** What was put before all names by the program that wrote a file. */
function without(prefix: string | undefined): string {
  return prefix ? `, names without their prefix ${prefix}` : "";
}

async function read(path: string) {
  const bytes = await naming(path, () => Deno.readFile(path));
  if (isTorch(bytes)) return await decodeTorch(bytes, path);
  if (bytes[0] === 0x80 && bytes[1] >= 2 && bytes[1] <= 5) { // PROTO
    throw new CheckpointError(
      `import: ${path} is a Python pickle, as StyleGAN's and EDM's networks are: those are other ` +
        "networks than ours; of PyTorch's DCGAN example or our exports, save state_dict() by torch.save",
    );
  }
  return decodeSafetensors(bytes, path);
}
