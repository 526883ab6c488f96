/**
 * Scripts by which shells complete a command line.
 *
 * @module
 */
import type { Option } from "./options.ts";

/** What may follow a command. */
export interface Completed {
  readonly options: readonly Option[];
  /** Words beside the options, as names of systems. */
  readonly words?: readonly string[];
}

/** Commands by their names. */
export type Commands = Readonly<Record<string, Completed>>;

/** For bash. Where nothing is offered, bash completes names of files. */
export function bash(commands: Commands): string {
  const cases = Object.entries(commands).map(([command, { options, words = [] }]) => {
    const texts = options.filter(({ kind }) => kind !== "flag");
    const chosen = texts.filter(({ choices }) => choices)
      .map(({ name, choices }) => `      --${name}) words="${choices!.join(" ")}" ;;\n`);
    const free = texts.filter(({ choices }) => !choices).map(({ name }) => `--${name}`);
    const all = [...words, ...options.map(({ name }) => `--${name}`)].join(" ");
    return `    ${command}) case $before in\n${chosen.join("")}` +
      (free.length ? `      ${free.join("|")}) ;;\n` : "") +
      `      *) words="${all}" ;;\n    esac ;;\n`;
  });
  return `# Completion of gan for bash: source <(gan completion bash)
_gan() {
  local words="" before=\${COMP_WORDS[COMP_CWORD-1]}
  if [ "$COMP_CWORD" = 1 ]; then words="${Object.keys(commands).join(" ")}"
  else case \${COMP_WORDS[1]} in
${cases.join("")}  esac; fi
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _gan gan ./gan
`;
}

/** For zsh, which understands bash's. */
export function zsh(commands: Commands): string {
  return "# Completion of gan for zsh: source <(gan completion zsh)\n" +
    "autoload -Uz compinit bashcompinit && compinit && bashcompinit\n" +
    bash(commands).split("\n").slice(1).join("\n");
}

/** For fish, which shows the help of an option beside it. */
export function fish(commands: Commands): string {
  const lines = Object.entries(commands).flatMap(([command, { options, words = [] }]) => {
    const of = `complete -c gan -n "__fish_seen_subcommand_from ${command}"`;
    return [
      `complete -c gan -n __fish_use_subcommand -f -a ${command}`,
      ...words.length ? [`${of} -a "${words.join(" ")}"`] : [],
      ...options.map(({ name, kind, choices, help }) =>
        `${of} -l ${name}${
          kind === "flag" ? "" : choices ? ` -x -a "${choices.join(" ")}"` : " -r"
        }` +
        ` -d '${help.replace(/[\\']/g, "\\$&")}'`
      ),
    ];
  });
  return ["# Completion of gan for fish: gan completion fish | source", ...lines, ""].join("\n");
}
