/** What can be done, from the item in the status bar. */
import * as vscode from 'vscode';
import { type Facts, look } from './look';

interface Action extends vscode.QuickPickItem {
  readonly command?: string;
}

const SEPARATOR: Action = { label: '', kind: vscode.QuickPickItemKind.Separator };

/** Lets the user choose, and does it. */
export async function showMenu(facts: Facts): Promise<void> {
  const { detail } = look(facts);
  const actions = facts.life === 'running' ? runningActions() : [SEPARATOR];
  const choice = await vscode.window.showQuickPick([...actions, ...alwaysActions()], {
    title: `ghostfill: ${detail}`,
    placeHolder: 'What would you like to do?',
  });
  if (choice?.command !== undefined) {
    await vscode.commands.executeCommand(choice.command);
  }
}

function runningActions(): Action[] {
  const language = vscode.window.activeTextEditor?.document.languageId;
  const forLanguage = {
    label: `$(symbol-misc) Turn completions on or off for ${language}`,
    command: 'ghostfill.toggleLanguage',
  };
  return [
    { label: '$(circle-slash) Turn completions on or off', command: 'ghostfill.toggle' },
    ...(language === undefined ? [] : [forLanguage]),
    { label: '$(bell-slash) Snooze...', command: 'ghostfill.snooze' },
    SEPARATOR,
    { label: '$(list-tree) Show what the next completion is made of', command: 'ghostfill.showContext' },
    { label: '$(graph) Show statistics', command: 'ghostfill.stats' },
    { label: '$(debug-restart) Restart the engine', command: 'ghostfill.restartEngine' },
  ];
}

function alwaysActions(): Action[] {
  return [
    { label: '$(refresh) Restart the server', command: 'ghostfill.restart' },
    { label: '$(output) Show the log', command: 'ghostfill.showLog' },
    SEPARATOR,
    { label: '$(gear) Settings', command: 'ghostfill.settings' },
    { label: '$(book) Walkthrough', command: 'ghostfill.walkthrough' },
  ];
}
