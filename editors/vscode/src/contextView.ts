/** The page that says what the next completion would be made of, at the side. No script runs in it. */
import * as vscode from 'vscode';
import { asObject } from './place';
import type { Server } from './server';
import { inTheme } from './theme';

interface ContextAnswer {
  readonly uri: string;
  readonly report: { readonly file: string };
}

/** One panel, used again. */
export class ContextView implements vscode.Disposable {
  private readonly themes: vscode.Disposable;
  private panel: vscode.WebviewPanel | undefined;
  private html = '';

  constructor(private readonly server: Server) {
    this.themes = vscode.window.onDidChangeActiveColorTheme(() => this.draw());
  }

  /** Asks the server for the page of the cursor's place, and shows it. */
  async show(argument: unknown): Promise<void> {
    const answer = await this.server.execute<ContextAnswer>('ghostfill.showContext', {
      ...this.here(),
      ...asObject(argument),
      show: false,
    });
    const page = await vscode.workspace.fs.readFile(vscode.Uri.parse(answer.uri));
    this.html = new TextDecoder().decode(page);
    if (this.panel === undefined) {
      const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
      this.panel = vscode.window.createWebviewPanel('ghostfill.context', 'Context', column, {
        enableScripts: false,
        localResourceRoots: [],
      });
      this.panel.onDidDispose(() => {
        this.panel = undefined;
      });
    } else {
      this.panel.reveal(undefined, true);
    }
    this.panel.title = `Context: ${answer.report.file}`;
    this.draw();
  }

  dispose(): void {
    this.themes.dispose();
    this.panel?.dispose();
  }

  /** The cursor; the server knows better where the user was last if a view has the focus. */
  private here(): object {
    const editor = vscode.window.activeTextEditor;
    if (editor === undefined) {
      return {};
    }
    const { asUri, asPosition } = this.server.connected.code2ProtocolConverter;
    return { uri: asUri(editor.document.uri), position: asPosition(editor.selection.active) };
  }

  private draw(): void {
    if (this.panel !== undefined) {
      this.panel.webview.html = inTheme(this.html, isDark());
    }
  }
}

function isDark(): boolean {
  const { kind } = vscode.window.activeColorTheme;
  return kind === vscode.ColorThemeKind.Dark || kind === vscode.ColorThemeKind.HighContrast;
}
