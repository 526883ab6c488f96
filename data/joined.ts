import { type Labels, labelsOf } from "./labels.ts";
import type { Source } from "./source.ts";

/** The classes of all, by name; those of the same names keep their numbers. */
function labelsIn(sources: readonly Source[]): Labels | undefined {
  const all = sources.map(({ labels }) => labels);
  if (all.some((labels) => labels === undefined)) return undefined;
  const [first, ...rest] = all as Labels[], key = JSON.stringify(first.classes);
  if (rest.every(({ classes }) => JSON.stringify(classes) === key)) {
    return { classes: first.classes, of: Uint16Array.from(all.flatMap((one) => [...one!.of])) };
  }
  return labelsOf(all.flatMap((one) => Array.from(one!.of, (number) => one!.classes[number])));
}

/**
 * Several files as one.
 *
 * @param name What they are called together.
 * @param sources The files, in their order.
 * @param notes Lines for the user.
 * @returns All their images.
 */
export function joined(name: string, sources: readonly Source[], notes: string[]): Source {
  if (sources.length === 1) {
    const [source] = sources, own = Object.getOwnPropertyDescriptors(source);
    return Object.defineProperties({}, {
      ...own,
      name: { value: name },
      notes: { get: () => [...source.notes ?? [], ...notes] },
    }) as Source;
  }
  let names: string[] = [], starts: number[] = [], labels: Labels | undefined;
  const digests = sources.map((source) => `${source.name} ${source.digest}`);
  const found = new Set<string>();
  return {
    name,
    kind: `${sources.length} files, each ${sources[0].kind}`,
    digest: digests.join("; "),
    stamps: digests,
    get names() {
      return names;
    },
    get labels() {
      return labels;
    },
    get notes() {
      return [...found, ...notes];
    },
    async list() {
      names = [];
      starts = [];
      for (const source of sources) {
        await source.list?.();
        starts.push(names.length);
        for (const one of source.names) names.push(`${source.name}: ${one}`);
        for (const note of source.notes ?? []) found.add(note);
      }
      labels = labelsIn(sources);
    },
    read: (i) => {
      let n = starts.length - 1;
      while (starts[n] > i) n--;
      return sources[n].read(i - starts[n]);
    },
    async close() {
      for (const source of sources) await source.close();
    },
  };
}
