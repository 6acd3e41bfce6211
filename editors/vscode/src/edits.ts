/** Fix and document: what the server makes of a piece of code. */
import * as vscode from 'vscode';
import type { WorkspaceEdit } from 'vscode-languageclient/node';
import type { FixPreview } from './fixPreview';
import type { Facts } from './look';
import { asPlace, type CodePlace, editorOrThrow, selectedPlace, withDiagnostics } from './place';
import { loadingWords } from './progress';
import type { Server } from './server';

interface EditAnswer {
  readonly edit: WorkspaceEdit | null;
  readonly applied: boolean;
  readonly message: string;
}

const SHOWN_MS = 5000;

/** Asks for a fix of what is selected, or of the cursor's line, and shows it before anything is changed. */
export async function fix(server: Server, preview: FixPreview, argument: unknown): Promise<void> {
  const place = asPlace(argument) ?? selectedPlace(server, editorOrThrow());
  await showFix(server, preview, withDiagnostics(server, place));
}

/** The same, with what the user says about it. */
export async function fixWithNote(server: Server, preview: FixPreview, argument: unknown): Promise<void> {
  const place = asPlace(argument) ?? selectedPlace(server, editorOrThrow());
  const note = await vscode.window.showInputBox({
    title: 'Fix with a Note',
    prompt: 'What is to be changed in the selection, or in the code at the cursor?',
    placeHolder: 'For example: an empty list is allowed',
  });
  if (note?.trim()) {
    await showFix(server, preview, { ...withDiagnostics(server, place), note: note.trim() });
  }
}

async function showFix(
  server: Server,
  preview: FixPreview,
  argument: CodePlace & { readonly note?: string },
): Promise<void> {
  const answer = await withCancel(server, 'Fixing', (token) =>
    server.execute<EditAnswer>('ghostfill.fix', { ...argument, apply: false }, token),
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
  const answer = await withCancel(server, 'Documenting', (token) =>
    server.execute<EditAnswer>('ghostfill.document', place, token),
  );
  if (answer?.applied) {
    vscode.window.setStatusBarMessage(`ghostfill: ${answer.message}`, SHOWN_MS);
  } else if (answer) {
    void vscode.window.showInformationMessage(`ghostfill: ${answer.message}`);
  }
}

/** Shows that something is made, and which model is loaded for it, with a way to stop it; undefined if it was. */
async function withCancel<T>(
  server: Server,
  title: string,
  work: (token: vscode.CancellationToken) => Promise<T>,
): Promise<T | undefined> {
  const location = vscode.ProgressLocation.Notification;
  return vscode.window.withProgress(
    { location, title: `ghostfill: ${title}`, cancellable: true },
    async (progress, token) => {
      const tell = ({ loading }: Facts) => progress.report({ message: loading ? loadingWords(loading) : '' });
      const listener = server.onDidChange(tell);
      tell(server.facts);
      try {
        return await work(token);
      } catch (error) {
        if (token.isCancellationRequested) {
          return undefined;
        }
        throw error;
      } finally {
        listener.dispose();
      }
    },
  );
}
