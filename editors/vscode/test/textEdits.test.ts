/** Edits of a text, against the slow obvious way: one after the other, from the end. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyEdits, type Edit } from '../src/textEdits';

function oneByOne(text: string, edits: readonly Edit[]): string {
  let result = text;
  for (const { start, end, newText } of [...edits].reverse()) {
    result = result.slice(0, start) + newText + result.slice(end);
  }
  return result;
}

test('insertions, replacements and deletions, in any order', () => {
  const text = 'def f(a):\n    retrun a\n';
  const edits = [
    { start: 0, end: 0, newText: '# new\n' },
    { start: 6, end: 7, newText: 'b' },
    { start: 14, end: 20, newText: 'return' },
    { start: 21, end: 22, newText: '' },
    { start: text.length, end: text.length, newText: 'end' },
  ];
  const expected = oneByOne(text, edits);
  assert.equal(applyEdits(text, edits), expected);
  assert.equal(applyEdits(text, edits.toReversed()), expected);
});

test('insertions at one place keep their order', () => {
  const edits = [
    { start: 1, end: 1, newText: 'x' },
    { start: 1, end: 1, newText: 'y' },
  ];
  assert.equal(applyEdits('ab', edits), 'axyb');
});

test('random edits that do not overlap', () => {
  let seed = 7;
  const random = (below: number) => {
    seed = (seed * 48_271) % 2_147_483_647;
    return seed % below;
  };
  for (let round = 0; round < 200; round++) {
    const text = Array.from({ length: random(30) }, () => 'abc\n'[random(4)]).join('');
    const bounds = Array.from({ length: 2 * random(4) }, () => random(text.length + 1)).sort((a, b) => a - b);
    const edits: Edit[] = [];
    for (let index = 0; index + 1 < bounds.length; index += 2) {
      edits.push({ start: bounds[index] ?? 0, end: bounds[index + 1] ?? 0, newText: `<${index}>` });
    }
    assert.equal(applyEdits(text, edits), oneByOne(text, edits));
  }
});
