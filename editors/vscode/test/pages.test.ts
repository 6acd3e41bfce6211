/** What is shown of the server's answers: links that work, counts that can be read. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileLink, markdownForView } from '../src/links';
import { statsPage } from '../src/statsPage';
import { inTheme } from '../src/theme';

test('a link to a file survives the way through the page, with its line', () => {
  const markdown = markdownForView('see [main.py](file:///home/u/a%20b/main.py#L12), [x](<file:///y.py>)');
  assert.ok(!markdown.includes('(file:') && !markdown.includes('<file:'));
  const [, href = ''] = /\]\(([^)]*)\)/.exec(markdown) ?? [];
  assert.deepEqual(fileLink(href), { uri: 'file:///home/u/a%20b/main.py', line: 11 });
  assert.deepEqual(fileLink('file:///home/u/main.py'), { uri: 'file:///home/u/main.py', line: 0 });
});

test('links elsewhere are no files', () => {
  for (const href of [
    'https://example.com/file:///etc/passwd',
    'command:x',
    'https://file.invalidated/x',
    'main.py#L3',
    '',
  ]) {
    assert.equal(fileLink(href), undefined);
  }
});

const COUNTS = {
  shown: 8,
  accepted: 2,
  partially_accepted: 1,
  dismissed: 3,
  accepted_chars: 40,
  requests: 20,
  answered: 10,
};

test('the counts are tables, with the share of what was accepted', () => {
  const page = statsPage({
    file: '/state/stats.json',
    enabled: true,
    days: 30,
    total: COUNTS,
    by_day: { '2026-01-02': COUNTS },
    by_language: { python: { ...COUNTS, shown: 0, accepted: 0 } },
    by_source: {},
  });
  assert.ok(page.includes('## The last 30 days'));
  assert.ok(page.includes('| total | 20 | 10 | 8 | 2 (25%) | 1 | 3 | 40 |'));
  assert.ok(page.includes('| python | 20 | 10 | 0 | 0 | 1 | 3 | 40 |'));
  assert.ok(page.includes('/state/stats.json') && !page.includes('By source'));
});

test("the context page takes the editor's theme, whatever the browser prefers", () => {
  const html = 'a { } @media (prefers-color-scheme: dark) { b { } }';
  assert.equal(inTheme(html, true), 'a { } @media all { b { } }');
  assert.equal(inTheme(html, false), 'a { } @media not all { b { } }');
});
