/** Where the user is, in the server's words. */
import * as vscode from 'vscode';
import type { Server } from './server';

/** The argument of a command that is about a piece of code. */
export interface CodePlace {
  readonly uri: string;
  readonly range: { start: object; end: object };
}

/** There is nothing that the command could be about. */
export class NoEditorError extends Error {
  constructor() {
    super('Open a file and try again.');
  }
}

/** The editor that the user is in, or was in last before a view got the focus. */
export function editorOrThrow(): vscode.TextEditor {
  const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
  if (editor === undefined) {
    throw new NoEditorError();
  }
  return editor;
}

/** What is selected, or the cursor. */
export function selectedPlace(server: Server, editor: vscode.TextEditor): CodePlace {
  const { asUri, asRange } = server.connected.code2ProtocolConverter;
  return { uri: asUri(editor.document.uri), range: asRange(editor.selection) };
}

/** A command's argument as an object; keybindings and code actions may give one, the palette does not. */
export function asObject(argument: unknown): Record<string, unknown> {
  return typeof argument === 'object' && argument !== null && !(argument instanceof vscode.Uri)
    ? (argument as Record<string, unknown>)
    : {};
}

/** An argument that names its own place. */
export function asPlace(argument: unknown): CodePlace | undefined {
  const { uri, range } = asObject(argument);
  return typeof uri === 'string' && typeof range === 'object' && range !== null
    ? (argument as CodePlace)
    : undefined;
}
