/** The item in the status bar. Knows how it looks, not what there is to do. */
import * as vscode from 'vscode';
import { type Facts, look } from './look';

export class StatusBar implements vscode.Disposable {
  private readonly item: vscode.StatusBarItem;

  constructor(command: string) {
    this.item = vscode.window.createStatusBarItem('ghostfill.status', vscode.StatusBarAlignment.Right, 100);
    this.item.name = 'ghostfill';
    this.item.command = command;
    this.item.show();
  }

  /** Shows what is known now. */
  show(facts: Facts): void {
    const { state, text, detail } = look(facts);
    this.item.text = text;
    this.item.tooltip = `ghostfill: ${detail}\nClick for what can be done.`;
    this.item.accessibilityInformation = { label: `ghostfill: ${detail}`, role: 'button' };
    const colour = { error: 'error', warning: 'warning' }[state as string];
    this.item.backgroundColor = colour
      ? new vscode.ThemeColor(`statusBarItem.${colour}Background`)
      : undefined;
  }

  dispose(): void {
    this.item.dispose();
  }
}
