import { basename, join } from "@std/path";
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
  "",
  `The file is ${OFFICIAL} (95 MB), which pytorch-fid's makers`,
  `publish at ${PUBLISHED}`,
  `Its SHA-256 is ${SHA256}.`,
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
  if (rest.length) throw new UsageError(`gan weights takes options only, not ${rest.join(" ")}`);
  const path = join(String(values.to ?? "weights"), OFFICIAL);
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
