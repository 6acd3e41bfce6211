/** The pages for the first start, and what they know of us. */
import * as vscode from 'vscode';

/** Its first step is done once a server runs. */
export async function tellWalkthrough(isRunning: boolean): Promise<void> {
  await vscode.commands.executeCommand('setContext', 'ghostfill.running', isRunning);
}

/** Opens it. */
export async function openWalkthrough(extension: string, isRunning: boolean): Promise<void> {
  // It only sees what comes true while it is there.
  await tellWalkthrough(false);
  await vscode.commands.executeCommand('workbench.action.openWalkthrough', `${extension}#start`, false);
  await tellWalkthrough(isRunning);
}
