/** Says once why there is no server, with what can be done about it. */
import * as vscode from 'vscode';
import { INSTALL_COMMAND } from './executable';
import type { Server } from './server';

const OPEN_SETTINGS = 'Open Settings';
const COPY = 'Copy Install Command';
const TRY_AGAIN = 'Try Again';
const SHOW_LOG = 'Show Log';

/** Shows a message each time a start fails for good. */
export function explainAbsence(server: Server): vscode.Disposable {
  let told = '';
  return server.onDidChange(({ life, problem }) => {
    if (life === 'running') {
      told = '';
    }
    if (problem !== undefined && problem !== told) {
      told = problem;
      void explain(server, life === 'missing', problem).then(() => {
        told = '';
      });
    }
  });
}

async function explain(server: Server, isMissing: boolean, problem: string): Promise<void> {
  const buttons = isMissing ? [COPY, OPEN_SETTINGS, TRY_AGAIN] : [SHOW_LOG, TRY_AGAIN];
  const choice = await vscode.window.showErrorMessage(`ghostfill: ${problem}`, ...buttons);
  if (choice === OPEN_SETTINGS) {
    await vscode.commands.executeCommand('workbench.action.openSettings', 'ghostfill.command');
  } else if (choice === COPY) {
    await vscode.env.clipboard.writeText(INSTALL_COMMAND);
    void vscode.window.setStatusBarMessage(`Copied: ${INSTALL_COMMAND}`, 5000);
  } else if (choice === TRY_AGAIN) {
    void server.restart();
  } else if (choice === SHOW_LOG) {
    server.log.show(true);
  }
}
