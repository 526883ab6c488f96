import { kindOf, listed, Passed } from "./listing.ts";
import { isImagePath } from "./source.ts";

/** With forward slashes, as programs for Windows may write others, and without empty and `.` parts. */
function plainName(name: string): string {
  if (/\\|(^|\/)\.?\//.test(name)) {
    return name.replaceAll("\\", "/").replace(/(^|\/)(\.?\/)+/g, "$1");
  }
  return name;
}

/** Whether a path leads out of the folder that the zip would be unpacked to. */
function isUnsafe(name: string): boolean {
  return /^([/\\]|[A-Za-z]:)|(^|[/\\])\.\.([/\\]|$)|\0/.test(name);
}

/** Tells the images among an archive's members, and keeps account of the others. */
export class Members {
  #unsafe: string[] = [];
  #passed = new Passed();

  /**
   * Looks at one member.
   *
   * @param name Its name as stored.
   * @returns The name with forward slashes; undefined if it is not to be read.
   */
  take(name: string): string | undefined {
    const plain = plainName(name);
    if (isUnsafe(name)) this.#unsafe.push(name);
    else if (plain.endsWith("/")) return undefined;
    else if (isImagePath(plain)) return plain;
    else this.#passed.add(kindOf(plain));
    return undefined;
  }

  /** Counts a member that is no file as one of its kind. */
  pass(kind: string): void {
    this.#passed.add(kind);
  }

  /** Lines for the user on what is not used. */
  notes(): string[] {
    const notes = this.#passed.notes();
    if (this.#unsafe.length > 0) {
      const count = this.#unsafe.length === 1 ? "1 entry" : `${this.#unsafe.length} entries`;
      notes.push(`${count} of unsafe name left out: ${listed(this.#unsafe)}`);
    }
    return notes;
  }
}
