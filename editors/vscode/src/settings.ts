/**
 * What the server is told of the settings. Those of machine scope (they redirect code or start programs) come
 * from the user's own settings only, whatever an opened workspace says. Knows no editor, and no setting by name
 * but the one that is the client's own.
 */

/** The section of the configuration that is ours. */
export const SECTION = 'ghostfill';
/** Which program to start: nothing that the started program needs to know. */
const OWN_KEYS: readonly string[] = ['command'];

/** What package.json declares of one setting. */
export interface Declaration {
  readonly scope?: string;
}

/** Declarations by key, without the section's name. */
export type Declarations = Readonly<Record<string, Declaration>>;

/** Where a value comes from, as the editor tells it. */
export interface Inspected {
  readonly globalValue?: unknown;
  readonly workspaceValue?: unknown;
}

export type Inspect = (key: string) => Inspected | undefined;
export type Values = Record<string, unknown>;

/** The keys that only the user may set. */
export function restrictedKeys(declarations: Declarations): string[] {
  return Object.keys(declarations).filter((key) => declarations[key]?.scope === 'machine');
}

/** What the user has set; defaults are left to the server, so that its own file keeps a say. */
export function initializationOptions(declarations: Declarations, inspect: Inspect): Values {
  const values: Values = { client: { status: true } };
  for (const key of serverKeys(declarations)) {
    add(values, key, inspect(key)?.globalValue);
  }
  return values;
}

/** The answer to `workspace/configuration`: what is set anywhere, but for what only the user may set. */
export function configuration(declarations: Declarations, inspect: Inspect): Values {
  const restricted = new Set(restrictedKeys(declarations));
  const values: Values = {};
  for (const key of serverKeys(declarations).filter((each) => !restricted.has(each))) {
    const inspected = inspect(key);
    add(values, key, inspected?.workspaceValue ?? inspected?.globalValue);
  }
  return values;
}

/** The user's own command; the workspace has no say. */
export function userCommand(
  inspected: { defaultValue?: unknown; globalValue?: unknown } | undefined,
): string[] {
  const value = inspected?.globalValue ?? inspected?.defaultValue;
  const isList = Array.isArray(value) && value.every((word) => typeof word === 'string');
  return isList ? value : [];
}

function serverKeys(declarations: Declarations): string[] {
  return Object.keys(declarations).filter((key) => !OWN_KEYS.includes(key));
}

function add(values: Values, key: string, value: unknown): void {
  if (value !== undefined && value !== null) {
    values[key] = value;
  }
}
