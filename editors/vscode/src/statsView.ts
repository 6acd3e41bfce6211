/** The counts as a document to read. */
import * as vscode from 'vscode';
import type { Server } from './server';
import { type Stats, statsPage } from './statsPage';

const PAGE = vscode.Uri.from({ scheme: 'ghostfill-stats', path: '/Statistics.md' });

/** Holds the page that was asked for last. */
export class StatsView implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  private readonly provider: vscode.Disposable;
  private text = '';

  constructor(private readonly server: Server) {
    this.provider = vscode.workspace.registerTextDocumentContentProvider(PAGE.scheme, {
      onDidChange: this.changed.event,
      provideTextDocumentContent: () => this.text,
    });
  }

  /** Asks the server and shows its answer. */
  async show(): Promise<void> {
    this.text = statsPage(await this.server.execute<Stats>('ghostfill.stats', {}));
    this.changed.fire(PAGE);
    await vscode.commands.executeCommand('markdown.showPreview', PAGE);
  }

  dispose(): void {
    this.provider.dispose();
    this.changed.dispose();
  }
}
