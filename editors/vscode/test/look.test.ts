/** The status bar: each state that the server can be in, and what is shown of it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Facts, look, type Status } from '../src/look';

const READY: Status = { kind: 'Normal', busy: false, message: 'builtin on cpu' };

function running(status: Partial<Status>, percentage?: number) {
  const loading = percentage === undefined ? undefined : { what: 'loading weights', percentage };
  return look({ life: 'running', status: { ...READY, ...status }, loading });
}

test('a ready engine is named', () => {
  assert.deepEqual(running({}), { state: 'ready', text: '$(sparkle) ghostfill', detail: 'builtin on cpu' });
});

test('loading shows whole per cent, rounded down', () => {
  const { state, text } = running({ busy: true, message: 'loading weights 99%' }, 99.9);
  assert.equal(state, 'loading');
  assert.equal(text, '$(loading~spin) ghostfill 99%');
});

test('work under way spins without a number', () => {
  const { state, text } = running({ busy: true });
  assert.equal(state, 'busy');
  assert.equal(text, '$(loading~spin) ghostfill');
});

test('off here, and snoozed, go before what the engine does', () => {
  const off = running({ kind: 'Inactive', message: 'Inline completion is off for python.' }, 50);
  assert.deepEqual([off.state, off.detail], ['inactive', 'Inline completion is off for python.']);
  assert.equal(off.text, '$(circle-slash) ghostfill');
  const snoozed = running({ kind: 'Inactive', message: 'Inline completion is snoozed.' });
  assert.deepEqual([snoozed.state, snoozed.text], ['snoozed', '$(bell-slash) ghostfill']);
});

test('errors and warnings carry their sentence', () => {
  assert.deepEqual(running({ kind: 'Error', message: 'no model' }).state, 'error');
  assert.deepEqual(running({ kind: 'Warning', message: 'small prompts only' }), {
    state: 'warning',
    text: '$(warning) ghostfill',
    detail: 'small prompts only',
  });
});

test('without a server the reason is shown', () => {
  assert.deepEqual(look({ life: 'missing', problem: 'Install it.' }), {
    state: 'error',
    text: '$(error) ghostfill',
    detail: 'Install it.',
  });
  assert.equal(look({ life: 'failed', problem: 'It ended.' }).state, 'error');
  assert.deepEqual(look({ life: 'starting' }).detail, 'starting');
  assert.deepEqual(look({ life: 'restarting' }).state, 'starting');
  assert.deepEqual(look({ life: 'stopped' }), {
    state: 'off',
    text: '$(circle-slash) ghostfill',
    detail: 'not running',
  });
});

test('a server that has said nothing yet still starts', () => {
  assert.deepEqual(look({ life: 'running' }).state, 'starting');
});

test('what is loaded is named, also where the engine itself is ready', () => {
  const facts = { life: 'running', status: READY, loading: { what: 'loading a chat model', percentage: 7 } };
  assert.deepEqual(look(facts as Facts), {
    state: 'loading',
    text: '$(loading~spin) ghostfill 7%',
    detail: 'loading a chat model 7 %',
  });
});
