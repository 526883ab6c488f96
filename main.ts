/** The command line, and the only reader of `Deno.args`. */
import { doctorCommand } from "./cli/doctor.ts";
import { UsageError } from "./cli/errors.ts";
import { evalCommand } from "./cli/eval.ts";
import { reportCommand } from "./cli/report.ts";
import { sampleCommand } from "./cli/sample.ts";
import { timelapseCommand } from "./cli/timelapse.ts";
import { trainCommand } from "./cli/train.ts";
import { DataError } from "./data/errors.ts";
import { EvalError } from "./eval/errors.ts";
import { GpuError } from "./gpu/errors.ts";
import { CheckpointError } from "./nn/errors.ts";
import { TrainError } from "./train/loop.ts";
import { RunError } from "./train/run_folder.ts";

const HELP = `Trains GANs on pictures, on any GPU, without CUDA.

  gan train dcgan           trains; gan train --help tells all options
  gan sample latest         makes pictures with a trained generator
  gan report latest         shows its grids, curves and options as a page
  gan timelapse latest      shows how a run's pictures came to be
  gan eval fid --run latest tells how good it is: FID, KID, Inception Score, precision
  gan doctor                tells what device there is and how fast it is

Each command has --help.`;

const commands: Record<string, (args: string[], print: (line: string) => void) => Promise<number>> =
  {
    train: trainCommand,
    sample: sampleCommand,
    report: reportCommand,
    timelapse: timelapseCommand,
    eval: evalCommand,
    doctor: doctorCommand,
  };

/** What the program foresees: a sentence is enough. */
const FORESEEN = [
  UsageError,
  DataError,
  GpuError,
  CheckpointError,
  EvalError,
  TrainError,
  RunError,
  RangeError,
];

/** Whether the operating system refused something, e.g. a path or a full disk. */
function isOfSystem(error: unknown): boolean {
  return /^E[A-Z0-9]+$/.test((error as { code?: string }).code ?? "");
}

async function main([name, ...args]: string[]): Promise<number> {
  if (name === undefined || name === "--help" || name === "-h" || name === "help") {
    console.log(HELP);
    if (name !== undefined) return 0;
    console.error(`gan: Name a command, one of ${Object.keys(commands).join(", ")}`);
    return 2;
  }
  try {
    if (!Object.hasOwn(commands, name)) {
      throw new UsageError(
        `There is no command ${name}: choose one of ${Object.keys(commands).join(", ")}`,
      );
    }
    return await commands[name](args, console.log);
  } catch (error) {
    if ((error as Error).name === "AbortError") return 130;
    const shown = FORESEEN.some((type) => error instanceof type) || isOfSystem(error);
    console.error(`gan: ${(error as Error).message ?? error}`);
    if (args.includes("--debug")) console.error((error as Error).stack);
    else if (!shown) console.error("gan: that was not foreseen; --debug shows where it arose");
    return error instanceof UsageError ? 2 : 1;
  }
}

// A GPU device keeps the process alive: leave on purpose.
if (import.meta.main) Deno.exit(await main(Deno.args));
