/** The command line, and the only reader of `Deno.args`. */
import { messageOf, UsageError } from "./cli/errors.ts";
import { giveUpPermissions } from "./cli/permissions.ts";
import { DataError } from "./data/errors.ts";
import { EvalError } from "./eval/errors.ts";
import { GpuError } from "./gpu/errors.ts";
import { fit } from "./cli/fit.ts";
import { choose, terminalColumns } from "./cli/options.ts";
import { versionLines } from "./cli/version.ts";
import { ExportError } from "./export/errors.ts";
import { CheckpointError } from "./io/errors.ts";
import { TrainError } from "./train/errors.ts";
import { escaped } from "./run/progress.ts";
import { RunError } from "./run/run_folder.ts";
import { asTyped } from "./run/typed.ts";

const HELP = `Trains GANs on images, on any GPU, without CUDA.

  gan train dcgan            trains; gan train --help tells all options
  gan sample latest          makes images with a trained generator
  gan report latest          shows its grids, curves and options as a page
  gan timelapse latest       shows how a run's images came to be
  gan eval fid --run latest  tells how good it is: FID, KID, Inception Score, precision
  gan export page latest     writes its generator as a web page; or for PyTorch, ONNX, model hubs
  gan import netG.pth        makes a run of weights of PyTorch's DCGAN example, or of an export
  gan weights                fetches the weights of Inception, which eval needs
  gan runs                   lists what has been trained here; gan runs rm removes a run
  gan cache                  shows what is kept of the data; gan cache clear removes it
  gan data FILE              tells what a data set is: counts, sizes, classes, damaged images
  gan thesis                 trains the experiments of the thesis behind this program, and reports
  gan doctor                 tells what device there is and how fast it is
  gan completion bash        prints a script by which bash completes all this; or zsh, fish

Each command has --help; --version tells the versions of the program, Deno and the devices.`;

type Command = (args: string[], print: (line: string) => void) => Promise<number>;

/** A command is loaded when it is asked for: all of them together take a fifth of a second. */
const commands: Record<string, () => Promise<Command>> = {
  train: async () => (await import("./cli/train.ts")).trainCommand,
  sample: async () => (await import("./cli/sample.ts")).sampleCommand,
  report: async () => (await import("./cli/report.ts")).reportCommand,
  timelapse: async () => (await import("./cli/timelapse.ts")).timelapseCommand,
  eval: async () => (await import("./cli/eval.ts")).evalCommand,
  export: async () => (await import("./cli/export.ts")).exportCommand,
  import: async () => (await import("./cli/import.ts")).importCommand,
  weights: async () => (await import("./cli/weights.ts")).weightsCommand,
  runs: async () => (await import("./cli/runs.ts")).runsCommand,
  cache: async () => (await import("./cli/cache.ts")).cacheCommand,
  data: async () => (await import("./cli/data.ts")).dataCommand,
  thesis: async () => (await import("./cli/thesis.ts")).thesisCommand,
  doctor: async () => (await import("./cli/doctor.ts")).doctorCommand,
  completion: async () => (await import("./cli/completion.ts")).completionCommand,
};

/** What the program foresees: a sentence is enough. */
const FORESEEN = [
  UsageError,
  DataError,
  GpuError,
  CheckpointError,
  ExportError,
  EvalError,
  TrainError,
  RunError,
  RangeError,
];

/** What to do where the operating system refuses something, by its code; "" where it knows best. */
const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: "make room on the disk, then try again",
  EROFS: "choose another place, with --out or --to",
  EACCES: "choose another place, or change its permissions",
  ENOTDIR: "a part of that path is a file: choose another",
  EEXIST: "a file is in the way: choose another place",
  EMFILE: "let the program open more files (ulimit -n 1024)",
  ENFILE: "close other programs, which have too many files open",
  ENOMEM: "close other programs, or lower --batch",
  EPERM: "choose another place, with --out or --to",
};

/** The system's code, as ENOENT; undefined for errors of other origin. */
function codeOf(error: unknown): string | undefined {
  if (error instanceof Deno.errors.NotCapable) return "EPERM"; // by Deno
  if (error instanceof RangeError && /allocation failed/.test(error.message)) return "ENOMEM";
  return /^E[A-Z0-9]+$/.exec((error as { code?: string }).code ?? "")?.[0];
}

export async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    console.log(fit(asTyped(HELP), terminalColumns() ?? Infinity));
    if (name !== undefined) return 0;
    console.error(`gan: Name a command, one of ${Object.keys(commands).join(", ")}`);
    return 2;
  }
  try {
    if (name === "--version" || name === "-V" || name === "version") {
      for (const line of await versionLines()) console.log(line);
      return 0;
    }
    if (!Object.hasOwn(commands, name)) {
      const names = name.startsWith("-") ? ["--version", "--help"] : Object.keys(commands);
      throw new UsageError(`There is no command ${name}${choose(name, names)}`);
    }
    const helps = args.some((arg) => arg === "--help" || arg === "-h");
    const width = helps && terminalColumns() || Infinity;
    const print = (line: string) =>
      console.log(name === "completion" && !helps ? line : fit(asTyped(line), width));
    const command = await commands[name]();
    return await command(args, print);
  } catch (error) {
    if ((error as Error).name === "AbortError") return 130;
    const code = codeOf(error), advice = code && ADVICE[code];
    const shown = FORESEEN.some((type) => error instanceof type) || code !== undefined;
    const lines = messageOf(error).split("\n").map(escaped).join("\n"); // drivers say several
    console.error(`gan: ${asTyped(lines)}${advice ? `; ${advice}` : ""}`);
    if (args.includes("--debug")) console.error((error as Error).stack);
    else if (!shown) console.error("gan: unexpected error; --debug shows where it arose");
    return error instanceof UsageError ? 2 : 1;
  }
}

if (import.meta.main) {
  await giveUpPermissions(Deno.args);
  // A GPU device keeps the process alive: leave on purpose.
  Deno.exit(await main(Deno.args));
}
