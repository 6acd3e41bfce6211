/**
 * Finds the program to start, never inside the opened workspace: the active virtualenv, and with it the first
 * entry of PATH, may belong to a repository that was cloned a minute ago. Knows no editor.
 */
import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { posix, win32 } from 'node:path';

export const INSTALL_COMMAND = 'pipx install "ghostfill[local]"';

/** Where to look. */
export interface Surroundings {
  /** The value of PATH. */
  readonly path: string;
  readonly home: string;
  /** The workspace's folders: nothing in them is started. */
  readonly roots: readonly string[];
  readonly windows: boolean;
}

/** Either a program, or one sentence for the user. */
export type Found = { readonly path: string } | { readonly problem: string };

/** The program that the first word of `ghostfill.command` names; an absolute path is the user's own word. */
export function findExecutable(name: string, around: Surroundings): Found {
  const paths = around.windows ? win32 : posix;
  const path = name.startsWith('~/') ? paths.join(around.home, name.slice(2)) : name;
  if (paths.isAbsolute(path)) {
    return isExecutable(path) ? { path } : { problem: `${path} is not an executable file.` };
  }
  if (path === '' || /[/\\]/.test(path)) {
    return { problem: `"${name}" in ghostfill.command must be a bare name or an absolute path.` };
  }
  return search(path, around);
}

function search(name: string, around: Surroundings): Found {
  const paths = around.windows ? win32 : posix;
  const file = around.windows && !/\.exe$/i.test(name) ? `${name}.exe` : name;
  let refused: string | undefined;
  for (const folder of around.path.split(paths.delimiter)) {
    const path = paths.join(folder === '' ? '.' : folder, file);
    if (!isExecutable(path)) {
      continue;
    }
    const isOutside = around.roots.every(
      (root) => !isInside(folder, root, paths) && !isInside(path, root, paths),
    );
    if (paths.isAbsolute(folder) && isOutside) {
      return { path };
    }
    refused ??= path;
  }
  if (refused !== undefined) {
    return {
      problem:
        `${refused} was not started: it lies inside the workspace or in a relative entry of PATH. ` +
        `Install ghostfill elsewhere (${INSTALL_COMMAND}), or set ghostfill.command to an absolute path.`,
    };
  }
  return { problem: `"${name}" was not found on PATH. Install it with: ${INSTALL_COMMAND}` };
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** By its name or by where its links lead. */
function isInside(path: string, root: string, paths: typeof posix): boolean {
  return [path, real(path)].some((each) => [root, real(root)].some((folder) => isBelow(each, folder, paths)));
}

function isBelow(path: string, root: string, paths: typeof posix): boolean {
  const relative = paths.relative(root, path);
  return (
    relative === '' ||
    !(relative === '..' || relative.startsWith(`..${paths.sep}`) || paths.isAbsolute(relative))
  );
}

function real(path: string): string {
  try {
    return realpathSync.native(path);
  } catch {
    return path;
  }
}
