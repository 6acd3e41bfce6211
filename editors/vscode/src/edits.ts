/** Fix and document: what the server makes of a piece of code. */
import * as vscode from 'vscode';
import type { WorkspaceEdit } from 'vscode-languageclient/node';
import type { FixPreview } from './fixPreview';
import { asPlace, editorOrThrow, selectedPlace } from './place';
import type { Server } from './server';

interface EditAnswer {
  readonly edit: WorkspaceEdit | null;
  readonly applied: boolean;
  readonly message: string;
}

const SHOWN_MS = 5000;

/** Asks for a fix of what is selected, or of the cursor's line, and shows it before anything is changed. */
export async function fix(server: Server, preview: FixPreview, argument: unknown): Promise<void> {
  const place = asPlace(argument) ?? brokenPlace(server);
  const answer = await withCancel('Fixing', (token) =>
    server.execute<EditAnswer>('ghostfill.fix', { ...place, apply: false }, token),
  );
  if (answer?.edit) {
    await preview.show(await server.connected.protocol2CodeConverter.asWorkspaceEdit(answer.edit));
  } else if (answer) {
    void vscode.window.showInformationMessage(`ghostfill: ${answer.message}`);
  }
}

/** Asks for a docstring of the function or class at the cursor; the server applies it. */
export async function document(server: Server, argument: unknown): Promise<void> {
  const place = asPlace(argument) ?? selectedPlace(server, editorOrThrow());
  const answer = await withCancel('Documenting', (token) =>
    server.execute<EditAnswer>('ghostfill.document', place, token),
  );
  if (answer?.applied) {
    vscode.window.setStatusBarMessage(`ghostfill: ${answer.message}`, SHOWN_MS);
  } else if (answer) {
    void vscode.window.showInformationMessage(`ghostfill: ${answer.message}`);
  }
}

/** The selection, else the line, with what is said to be wrong there; else the server looks by itself. */
function brokenPlace(server: Server): object {
  const editor = editorOrThrow();
  const { selection, document } = editor;
  const range = selection.isEmpty ? document.lineAt(selection.active).range : selection;
  const found = vscode.languages
    .getDiagnostics(document.uri)
    .filter((each) => each.range.intersection(range));
  const { asUri, asRange, asDiagnostic } = server.connected.code2ProtocolConverter;
  const place = { uri: asUri(document.uri), range: asRange(range) };
  return found.length === 0 ? place : { ...place, diagnostics: found.map((each) => asDiagnostic(each)) };
}

/** Shows that something is made, with a way to stop it; undefined if it was stopped. */
async function withCancel<T>(
  title: string,
  work: (token: vscode.CancellationToken) => Promise<T>,
): Promise<T | undefined> {
  const location = vscode.ProgressLocation.Notification;
  return vscode.window.withProgress(
    { location, title: `ghostfill: ${title}`, cancellable: true },
    async (_, token) => {
      try {
        return await work(token);
      } catch (error) {
        if (token.isCancellationRequested) {
          return undefined;
        }
        throw error;
      }
    },
  );
}
