/** A fix before it is applied: shown as a diff, applied or discarded by the user. One at a time. */
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { applyEdits } from './textEdits';

const SCHEME = 'ghostfill-fix';
const APPLY = 'Apply';
const DISCARD = 'Discard';

interface Pending {
  readonly document: vscode.TextDocument;
  readonly before: string;
  readonly edits: readonly vscode.TextEdit[];
  readonly uri: vscode.Uri;
  readonly text: string;
}

/** Shows edits, and applies what was shown. */
export class FixPreview implements vscode.Disposable {
  private readonly disposables: vscode.Disposable[];
  private pending: Pending | undefined;
  private count = 0;

  constructor() {
    const provider = { provideTextDocumentContent: (uri: vscode.Uri) => this.textOf(uri) };
    this.disposables = [
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, provider),
      vscode.window.tabGroups.onDidChangeTabs(({ closed }) => this.tabsClosed(closed)),
    ];
  }

  /** Shows what an edit would make of its document. */
  async show(edit: vscode.WorkspaceEdit): Promise<void> {
    const [entry, ...others] = edit.entries();
    if (entry === undefined || others.length > 0) {
      await vscode.workspace.applyEdit(toBeConfirmed(edit));
      return;
    }
    await this.discard();
    const [target, edits] = entry;
    const document = await vscode.workspace.openTextDocument(target);
    const before = document.getText();
    const text = applyEdits(
      before,
      edits.map((each) => offsets(document, each)),
    );
    const uri = target.with({ scheme: SCHEME, authority: '', query: String(this.count++), fragment: '' });
    this.pending = { document, before, edits, uri, text };
    const name = basename(target.path);
    await vscode.commands.executeCommand('vscode.diff', target, uri, `${name} (fix by ghostfill)`, {
      preview: true,
    });
    void this.ask(this.pending, name);
  }

  /** Applies what is shown, if the file still is what it was. */
  async apply(): Promise<void> {
    const pending = this.pending;
    if (pending === undefined) {
      return;
    }
    await this.discard();
    if (pending.document.getText() !== pending.before) {
      throw new Error('The file has changed since the fix was made: ask for it again.');
    }
    const edit = new vscode.WorkspaceEdit();
    edit.set(pending.document.uri, [...pending.edits]);
    if (!(await vscode.workspace.applyEdit(edit))) {
      throw new Error('The fix could not be applied.');
    }
    await vscode.window.showTextDocument(pending.document);
  }

  /** Forgets what is shown. */
  async discard(): Promise<void> {
    const pending = this.pending;
    this.pending = undefined;
    if (pending !== undefined) {
      const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
      await vscode.window.tabGroups.close(tabs.filter((tab) => shows(tab, pending.uri)));
    }
  }

  dispose(): void {
    vscode.Disposable.from(...this.disposables).dispose();
  }

  private async ask(pending: Pending, name: string): Promise<void> {
    const choice = await vscode.window.showInformationMessage(`Apply the fix to ${name}?`, APPLY, DISCARD);
    if (choice !== undefined && this.pending === pending) {
      await vscode.commands.executeCommand(choice === APPLY ? 'ghostfill.applyFix' : 'ghostfill.discardFix');
    }
  }

  private textOf(uri: vscode.Uri): string {
    return this.pending?.uri.toString() === uri.toString() ? this.pending.text : '';
  }

  private tabsClosed(closed: readonly vscode.Tab[]): void {
    const pending = this.pending;
    if (pending !== undefined && closed.some((tab) => shows(tab, pending.uri))) {
      this.pending = undefined;
    }
  }
}

function shows(tab: vscode.Tab, uri: vscode.Uri): boolean {
  return tab.input instanceof vscode.TabInputTextDiff && tab.input.modified.toString() === uri.toString();
}

function offsets(document: vscode.TextDocument, { range, newText }: vscode.TextEdit) {
  return { start: document.offsetAt(range.start), end: document.offsetAt(range.end), newText };
}

/** The same edit, to be confirmed in the editor's own preview. */
function toBeConfirmed(edit: vscode.WorkspaceEdit): vscode.WorkspaceEdit {
  const confirmed = new vscode.WorkspaceEdit();
  const label = { label: 'Fix by ghostfill', needsConfirmation: true };
  for (const [uri, edits] of edit.entries()) {
    const labelled: [vscode.TextEdit, vscode.WorkspaceEditEntryMetadata][] = edits.map((each) => [
      each,
      label,
    ]);
    confirmed.set(uri, labelled);
  }
  return confirmed;
}
