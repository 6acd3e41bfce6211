/** What is loaded is named, with how much of it, whatever else is loaded beside it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadingWords, Progress } from '../src/progress';

test('the newest of two loads is told until its end, then the other one again', () => {
  const progress = new Progress();
  progress.take('a', { kind: 'begin', title: 'ghostfill', percentage: 0 });
  progress.take('a', { kind: 'report', message: 'loading builtin', percentage: 10 });
  assert.deepEqual(progress.take('b', { kind: 'begin', title: 'ghostfill' }), {
    what: 'ghostfill',
    percentage: 0,
  });
  const chat = progress.take('b', { kind: 'report', message: 'loading a chat model', percentage: 40.7 });
  assert.equal(chat && loadingWords(chat), 'loading a chat model 40 %');
  assert.deepEqual(progress.take('b', { kind: 'end' }), { what: 'loading builtin', percentage: 10 });
  assert.equal(progress.take('a', { kind: 'end', message: 'ready' }), undefined);
});

test('a report without words or per cent keeps those before it', () => {
  const progress = new Progress();
  progress.take(1, { kind: 'begin', title: 'loading', percentage: 3 });
  assert.deepEqual(progress.take(1, { kind: 'report', percentage: 4 }), { what: 'loading', percentage: 4 });
  assert.deepEqual(progress.take(1, { kind: 'report', message: 'm' }), { what: 'm', percentage: 4 });
});
