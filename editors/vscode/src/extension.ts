/** Puts the parts together. */
import * as vscode from 'vscode';
import { registerCommands } from './commands';
import { askAgain } from './earlyText';
import { followFocus } from './focus';
import { explainAbsence } from './problems';
import { Server } from './server';
import { StatusBar } from './statusBar';
import { tellWalkthrough } from './walkthrough';

let running: Server | undefined;

/** Called by the editor once it has started. */
export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('ghostfill', { log: true });
  const server = new Server(context, log);
  running = server;
  const statusBar = new StatusBar('ghostfill.menu');
  statusBar.show(server.facts);
  context.subscriptions.push(
    log,
    server,
    statusBar,
    server.onDidChange((facts) => statusBar.show(facts)),
    server.onDidChange(({ life }) => tellWalkthrough(life === 'running')),
    explainAbsence(server),
    ...registerCommands(context, server),
    ...followFocus(server),
    ...askAgain(server),
    vscode.workspace.onDidChangeConfiguration((event) => server.configurationChanged(event)),
  );
  // Not awaited: the editor needs not wait for a server to be there.
  void server.restart();
}

/** Called before the editor ends: it waits for the server to end well. */
export function deactivate(): Promise<void> | undefined {
  return running?.stop();
}
