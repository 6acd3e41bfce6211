/** Where the user is, in the server's words. */
import * as vscode from 'vscode';
import type { Diagnostic, Range } from 'vscode-languageclient/node';
import type { Server } from './server';

/** The argument of a command that is about a piece of code. */
export interface CodePlace {
  readonly uri: string;
  readonly range: Range;
  readonly diagnostics?: readonly Diagnostic[];
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

/** The same place with what others find wrong there, or in the cursor's line; as it is where they find nothing. */
export function withDiagnostics(server: Server, place: CodePlace): CodePlace {
  const { protocol2CodeConverter, code2ProtocolConverter } = server.connected;
  const range = protocol2CodeConverter.asRange(place.range);
  const looked = range.isEmpty
    ? new vscode.Range(range.start.line, 0, range.start.line, Number.MAX_SAFE_INTEGER)
    : range;
  const found = vscode.languages
    .getDiagnostics(protocol2CodeConverter.asUri(place.uri))
    .filter((each) => each.range.intersection(looked));
  return place.diagnostics !== undefined || found.length === 0
    ? place
    : { ...place, diagnostics: found.map((each) => code2ProtocolConverter.asDiagnostic(each)) };
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
