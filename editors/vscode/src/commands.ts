/**
 * The commands, by the server's own names where it has them: the palette and keybindings run them without an
 * argument, completions and code actions with the server's.
 */
import * as vscode from 'vscode';
import { ContextView } from './contextView';
import { document, fix, fixWithNote } from './edits';
import { ExplainView } from './explainView';
import { FixPreview } from './fixPreview';
import { showMenu } from './menu';
import type { Server } from './server';
import { StatsView } from './statsView';
import { snooze, toggle, toggleLanguage } from './switches';
import { openWalkthrough } from './walkthrough';

type Work = (argument: unknown) => unknown;

/** Registers all of them. */
export function registerCommands(context: vscode.ExtensionContext, server: Server): vscode.Disposable[] {
  const preview = new FixPreview();
  const contextView = new ContextView(server);
  const explainView = new ExplainView(server, vscode.Uri.joinPath(context.extensionUri, 'media'));
  const statsView = new StatsView(server);
  const withServer: Readonly<Record<string, Work>> = {
    toggle: () => toggle(server),
    toggleLanguage: () => toggleLanguage(server),
    snooze: (argument) => snooze(server, argument),
    showContext: (argument) => contextView.show(argument),
    explain: (argument) => explainView.explain(argument),
    fix: (argument) => fix(server, preview, argument),
    fixWithNote: (argument) => fixWithNote(server, preview, argument),
    document: (argument) => document(server, argument),
    stats: () => statsView.show(),
    restartEngine: () => server.execute('ghostfill.restartEngine'),
  };
  const alone: Readonly<Record<string, Work>> = {
    restart: () => server.restart(),
    showLog: () => server.log.show(true),
    menu: () => showMenu(server.facts),
    settings: () =>
      vscode.commands.executeCommand('workbench.action.openSettings', `@ext:${context.extension.id}`),
    walkthrough: () => openWalkthrough(context.extension.id, server.facts.life === 'running'),
    applyFix: () => preview.apply(),
    discardFix: () => preview.discard(),
  };
  return [
    preview,
    contextView,
    explainView,
    statsView,
    ...Object.entries(withServer).map(([name, work]) =>
      register(`ghostfill.${name}`, async (argument) => {
        await server.ready();
        return work(argument);
      }),
    ),
    ...Object.entries(alone).map(([name, work]) => register(`ghostfill.${name}`, work)),
    // Counts only: whoever accepts a completion is not to be told of trouble with that.
    vscode.commands.registerCommand('ghostfill.accepted', (argument: object) =>
      server.execute('ghostfill.accepted', argument).catch((error) => server.log.warn(`accepted: ${error}`)),
    ),
  ];
}

/** Whatever goes wrong is told to the user in the sentence that it carries. */
function register(id: string, work: Work): vscode.Disposable {
  return vscode.commands.registerCommand(id, async (argument: unknown) => {
    try {
      await work(argument);
    } catch (error) {
      void vscode.window.showErrorMessage(`ghostfill: ${error instanceof Error ? error.message : error}`);
    }
  });
}
