import { METRICS } from "../eval/metrics/registry.ts";
import { table as ofCache } from "./cache.ts";
import { bash, type Commands, fish, zsh } from "./completion_scripts.ts";
import { table as ofData } from "./data.ts";
import { UsageError } from "./errors.ts";
import { table as ofEval } from "./eval_options.ts";
import { table as ofExport } from "./export.ts";
import { table as ofImport } from "./import.ts";
import { choose, common } from "./options.ts";
import { recipes } from "./recipes.ts";
import { table as ofReport } from "./report.ts";
import { table as ofRuns } from "./runs.ts";
import { table as ofSample } from "./sample.ts";
import { table as ofThesis } from "./thesis.ts";
import { table as ofTimelapse } from "./timelapse.ts";
import { trainOptions } from "./train_options.ts";
import { table as ofWeights } from "./weights.ts";

const shells = { bash, zsh, fish };

const help = `Prints a script by which a shell completes commands, options and their values.

  source <(gan completion bash)          in ~/.bashrc
  source <(gan completion zsh)           in ~/.zshrc
  gan completion fish | source           in ~/.config/fish/config.fish`;

const commands: Commands = {
  train: { options: trainOptions, words: Object.keys(recipes) },
  sample: { options: ofSample, words: ["latest"] },
  report: { options: ofReport, words: ["latest"] },
  timelapse: { options: ofTimelapse, words: ["latest"] },
  eval: { options: ofEval, words: ["all", ...METRICS.map(({ name }) => name)] },
  export: { options: ofExport, words: ["page", "torch", "onnx", "card", "latest"] },
  import: { options: ofImport },
  weights: { options: ofWeights },
  runs: { options: ofRuns, words: ["rm"] },
  cache: { options: ofCache, words: ["clear"] },
  data: { options: ofData },
  thesis: { options: ofThesis, words: ["all"] },
  doctor: { options: common },
  completion: { options: [], words: Object.keys(shells) },
};

/** `gan completion`. Returns the exit code. */
export function completionCommand(
  [shell]: string[],
  print: (line: string) => void,
): Promise<number> {
  if (shell === undefined || shell === "--help" || shell === "-h") {
    print(help);
    return Promise.resolve(shell === undefined ? 2 : 0);
  }
  if (!Object.hasOwn(shells, shell)) {
    throw new UsageError(
      `There is no completion for ${shell}${choose(shell, Object.keys(shells))}`,
    );
  }
  print(shells[shell as keyof typeof shells](commands).trimEnd());
  return Promise.resolve(0);
}
