/** What the server is told: nothing that only the user may set comes from a workspace. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  configuration,
  type Declarations,
  type Inspected,
  initializationOptions,
  restrictedKeys,
  userCommand,
} from '../src/settings';

const declarations: Declarations = {
  command: { scope: 'machine' },
  model: { scope: 'machine' },
  'engine.url': { scope: 'machine' },
  'inline.maxLines': { scope: 'window' },
  'inline.enabled': {},
};

function inspect(values: Record<string, Inspected>) {
  return (key: string) => values[key];
}

const hostile = inspect({
  command: { workspaceValue: ['./evil'], globalValue: ['ghostfill', 'serve'] },
  model: { workspaceValue: 'evil/model', globalValue: 'builtin' },
  'engine.url': { workspaceValue: 'http://evil.example' },
  'inline.maxLines': { workspaceValue: 3, globalValue: 5 },
});

test('initializationOptions hold what the user has set, never what the workspace says', () => {
  const options = initializationOptions(declarations, hostile);
  assert.deepEqual(options, { client: { status: true }, model: 'builtin', 'inline.maxLines': 5 });
});

test('the answer to workspace/configuration leaves out what only the user may set', () => {
  assert.deepEqual(configuration(declarations, hostile), { 'inline.maxLines': 3 });
});

test('what nobody has set is left to the server, null and defaults included', () => {
  const none = inspect({ 'inline.maxLines': { globalValue: null }, 'inline.enabled': {} });
  assert.deepEqual(initializationOptions(declarations, none), { client: { status: true } });
  assert.deepEqual(configuration(declarations, none), {});
});

test('false, zero and the empty list are values', () => {
  const set = inspect({
    'inline.enabled': { workspaceValue: false, globalValue: true },
    'inline.maxLines': { globalValue: 0 },
  });
  assert.deepEqual(configuration(declarations, set), { 'inline.enabled': false, 'inline.maxLines': 0 });
});

test("the command is the user's, else the default; what is no list of words is nothing", () => {
  const value = { defaultValue: ['ghostfill', 'serve'], workspaceValue: ['./evil'] };
  assert.deepEqual(userCommand(value), ['ghostfill', 'serve']);
  assert.deepEqual(userCommand({ ...value, globalValue: ['ssh', 'host', 'ghostfill'] }), [
    'ssh',
    'host',
    'ghostfill',
  ]);
  assert.deepEqual(userCommand({ globalValue: 'ghostfill serve' }), []);
  assert.deepEqual(userCommand({ globalValue: [1] }), []);
  assert.deepEqual(userCommand(undefined), []);
});

test('of our own package, everything that redirects code or starts programs is restricted', () => {
  const { contributes } = JSON.parse(readFileSync('package.json', 'utf-8'));
  const properties = contributes.configuration.map((group: { properties: object }) => group.properties);
  const all: Declarations = Object.fromEntries(
    Object.entries<Declarations[string]>(Object.assign({}, ...properties)).map(([key, value]) => [
      key.slice(10),
      value,
    ]),
  );
  const sections = /^(command|model|device|dtype|(engine|chat|privacy)\..*)$/;
  assert.deepEqual(
    restrictedKeys(all),
    Object.keys(all).filter((key) => sections.test(key)),
  );
});
