/** Starting again after a crash: later each time, and not for ever. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Crashes } from '../src/crashes';

function endAll(crashes: Crashes): (number | undefined)[] {
  const delays: (number | undefined)[] = [];
  do {
    crashes.started(0);
    delays.push(crashes.delayMs(10));
  } while (delays.at(-1) !== undefined && delays.length < 100);
  return delays;
}

test('each wait is longer than the one before, and then it is given up', () => {
  const delays = endAll(new Crashes());
  const waits = delays.slice(0, -1);
  assert.ok(waits.length >= 3 && waits.length < 10);
  assert.deepEqual(
    waits,
    waits.toSorted((a, b) => Number(a) - Number(b)),
  );
  assert.equal(new Set(waits).size, waits.length);
});

test('a server that lived long starts with a clean record', () => {
  const crashes = new Crashes();
  endAll(crashes);
  crashes.started(0);
  assert.notEqual(crashes.delayMs(10 * 60_000), undefined);
  assert.equal(crashes.inARow, 1);
});

test('the user can try again', () => {
  const crashes = new Crashes();
  const first = endAll(crashes);
  crashes.forget();
  assert.deepEqual(endAll(crashes), first);
});
