/** What was typed before the model was there is asked about once it is: the editor itself asks only at keys. */
import * as vscode from 'vscode';
import { look } from './look';
import type { Server } from './server';

/** Follows what is typed, and the server. */
export function askAgain(server: Server): vscode.Disposable[] {
  let wasReady = false;
  let early: { document: vscode.TextDocument; version: number } | undefined;
  return [
    vscode.workspace.onDidChangeTextDocument(({ document }) => {
      early = wasReady ? undefined : { document, version: document.version };
    }),
    server.onDidChange((facts) => {
      const { state } = look(facts);
      // An engine is busy while it comes up, too: only what was ready once is at work.
      wasReady = state === 'ready' || (wasReady && state === 'busy');
      if (wasReady && early !== undefined) {
        const { document, version } = early;
        early = undefined;
        if (vscode.window.activeTextEditor?.document === document && document.version === version) {
          void vscode.commands.executeCommand('editor.action.inlineSuggest.trigger');
        }
      }
    }),
  ];
}
