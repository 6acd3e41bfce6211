/** Finding the program: what an opened workspace can do to PATH, and what it cannot reach by it. */
import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { findExecutable, INSTALL_COMMAND } from '../src/executable';

let lab: string;
let workspace: string;
let safe: string;

beforeEach(() => {
  lab = realpathSync(mkdtempSync(join(tmpdir(), 'ghostfill-')));
  workspace = join(lab, 'shop');
  safe = join(lab, 'bin');
  mkdirSync(workspace);
  mkdirSync(safe);
});

function program(folder: string, name = 'ghostfill'): string {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  return path;
}

function find(name: string, ...path: string[]) {
  return findExecutable(name, { path: path.join(delimiter), home: lab, roots: [workspace], windows: false });
}

test('a bare name is found on PATH', () => {
  const path = program(safe);
  assert.deepEqual(find('ghostfill', join(lab, 'nothing'), safe), { path });
});

test('a program inside the workspace is passed over for one outside, wherever PATH says first', () => {
  program(join(workspace, '.venv', 'bin'));
  const path = program(safe);
  assert.deepEqual(find('ghostfill', join(workspace, '.venv', 'bin'), workspace, safe), { path });
});

test('a workspace alone on PATH gives nothing but the reason', () => {
  const path = program(join(workspace, 'bin'));
  const found = find('ghostfill', join(workspace, 'bin'));
  assert.ok('problem' in found && found.problem.startsWith(`${path} was not started: it lies inside`));
  assert.ok(found.problem.includes(INSTALL_COMMAND));
});

test('links into the workspace do not count, neither of the folder nor of the file', () => {
  const path = program(join(workspace, 'bin'));
  symlinkSync(join(workspace, 'bin'), join(lab, 'folder'));
  symlinkSync(path, join(safe, 'ghostfill'));
  assert.ok('problem' in find('ghostfill', join(lab, 'folder'), safe));
});

test('a link inside the workspace does not count, even if it leads out of it', () => {
  symlinkSync(program(safe), join(workspace, 'ghostfill'));
  assert.ok('problem' in find('ghostfill', workspace));
});

test('a workspace that was opened by a link is known by both names', () => {
  program(join(workspace, 'bin'));
  symlinkSync(workspace, join(lab, 'link'));
  const around = { path: join(workspace, 'bin'), home: lab, roots: [join(lab, 'link')], windows: false };
  assert.ok('problem' in findExecutable('ghostfill', around));
});

test('a folder that only begins like the workspace is not inside it', () => {
  const path = program(`${workspace}-bin`);
  assert.deepEqual(find('ghostfill', `${workspace}-bin`), { path });
});

test('relative and empty entries of PATH do not count', () => {
  const here = process.cwd();
  process.chdir(lab);
  try {
    program(lab);
    program(join(lab, 'sub'));
    assert.ok('problem' in find('ghostfill', '', '.', 'sub', './sub'));
  } finally {
    process.chdir(here);
  }
});

test('what is no executable file is passed over', () => {
  mkdirSync(join(safe, 'ghostfill'));
  writeFileSync(join(lab, 'ghostfill'), '');
  const path = program(join(lab, 'real'));
  assert.deepEqual(find('ghostfill', safe, lab, join(lab, 'real')), { path });
});

test('an absolute path is taken as it is, and a tilde is the home', () => {
  const path = program(join(workspace, 'own'));
  assert.deepEqual(find(path), { path });
  assert.deepEqual(find('~/shop/own/ghostfill'), { path });
  assert.ok('problem' in find(join(lab, 'nothing')));
});

test('a relative path is refused, and absence names the install line', () => {
  program(join(lab, 'sub'));
  assert.ok('problem' in find('sub/ghostfill', lab));
  assert.ok('problem' in find('', safe));
  assert.deepEqual(find('ghostfill', safe), {
    problem: `"ghostfill" was not found on PATH. Install it with: ${INSTALL_COMMAND}`,
  });
});
