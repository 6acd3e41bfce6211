/** A text with edits in it. Pure; knows no editor. */

/** Replaces the characters from `start` to `end`, both offsets in the text before any edit. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly newText: string;
}

/** The text after all edits, which do not overlap; insertions at one place keep their order. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const pieces: string[] = [];
  let last = 0;
  for (const { start, end, newText } of edits.toSorted((a, b) => a.start - b.start)) {
    pieces.push(text.slice(last, start), newText);
    last = Math.max(last, end);
  }
  return pieces.join('') + text.slice(last);
}
