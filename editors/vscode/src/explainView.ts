/**
 * An explanation at the side, as it is made: markdown rendered by the editor, with the files that it is
 * made from. What the model writes is text of a stranger: no script of it runs, nothing is loaded, and links open
 * files of the workspace or ask first.
 */
import { randomUUID } from 'node:crypto';
import * as vscode from 'vscode';
import { fileLink, markdownForView } from './links';
import type { Facts } from './look';
import { asPlace, type CodePlace, editorOrThrow, selectedPlace, withDiagnostics } from './place';
import { loadingWords } from './progress';
import type { Server } from './server';

interface Explanation {
  readonly title: string;
  readonly text: string;
  readonly files: readonly { readonly path: string; readonly uri: string }[];
}

/** What the page's script is told. */
interface Shown {
  readonly title: string;
  readonly html: string;
  /** What goes on, until it is over. */
  readonly state: string;
  /** Why this is not all of it. */
  readonly problem: string;
  readonly files: Explanation['files'];
}

const EMPTY: Shown = { title: 'Explain', html: '', state: '', problem: '', files: [] };
const STOPPED = 'Stopped: this is not all of it.';

/** One panel, used again; a new explanation cancels the one under way. */
export class ExplainView implements vscode.Disposable {
  private panel: vscode.WebviewPanel | undefined;
  private shown = EMPTY;
  private cancellation: vscode.CancellationTokenSource | undefined;

  constructor(
    private readonly server: Server,
    private readonly media: vscode.Uri,
  ) {}

  /** Explains what a code action is about, what is selected or what the cursor is in, and shows what comes. */
  async explain(argument: unknown): Promise<void> {
    const place = asPlace(argument) ?? selectedPlace(this.server, editorOrThrow());
    this.cancellation?.cancel();
    const cancellation = new vscode.CancellationTokenSource();
    this.cancellation = cancellation;
    const show = (change: Partial<Shown>) => this.cancellation === cancellation && this.show(change);
    this.open();
    show({ ...EMPTY, title: 'Explaining...', state: stateOf(this.server.facts) });
    show(await this.written(place, cancellation.token, show));
  }

  /** Shows an explanation while it is written; gives what is to be shown when it is over, well or not. */
  private async written(
    place: CodePlace,
    cancellation: vscode.CancellationToken,
    show: (change: Partial<Shown>) => void,
  ): Promise<Partial<Shown>> {
    const token = randomUUID();
    const stream = new Stream((html) => show({ html }));
    const listeners = vscode.Disposable.from(
      this.server.onDidExplain((value) => value.token === token && stream.push(value.text)),
      this.server.onDidChange((facts) => show({ state: stateOf(facts) })),
    );
    try {
      const argument = { ...withDiagnostics(this.server, place), token, show: false };
      const answer = await this.server.execute<Explanation>('ghostfill.explain', argument, cancellation);
      await stream.last(answer.text);
      return { title: answer.title, files: answer.files, state: '' };
    } catch (error) {
      await stream.last(undefined);
      const problem = cancellation.isCancellationRequested ? STOPPED : messageOf(error);
      return { title: 'Explain', state: '', problem };
    } finally {
      listeners.dispose();
    }
  }

  dispose(): void {
    this.cancellation?.cancel();
    this.panel?.dispose();
  }

  private open(): void {
    if (this.panel !== undefined) {
      this.panel.reveal(undefined, true);
      return;
    }
    const column = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    const panel = vscode.window.createWebviewPanel('ghostfill.explain', 'Explain', column, {
      enableScripts: true,
      localResourceRoots: [this.media],
    });
    this.panel = panel;
    panel.onDidDispose(() => {
      this.cancellation?.cancel();
      this.panel = undefined;
    });
    panel.webview.onDidReceiveMessage((message) => this.received(message));
    panel.webview.html = page(panel.webview, this.media);
  }

  private show(change: Partial<Shown>): void {
    this.shown = { ...this.shown, ...change };
    if (this.panel !== undefined) {
      this.panel.title = this.shown.title;
      void this.panel.webview.postMessage(this.shown);
    }
  }

  private async received(message: { kind?: unknown; href?: unknown }): Promise<void> {
    if (message.kind === 'ready') {
      this.show({});
    } else if (message.kind === 'stop') {
      this.cancellation?.cancel();
    } else if (message.kind === 'open' && typeof message.href === 'string') {
      try {
        await open(message.href, this.shown.files);
      } catch (error) {
        void vscode.window.showErrorMessage(`ghostfill: ${messageOf(error)}`);
      }
    }
  }
}

/** Renders the newest text whenever the last rendering is done. */
class Stream {
  private text: string | undefined;
  private rendering: Promise<void> | undefined;

  constructor(private readonly show: (html: string) => void) {}

  push(text: string): void {
    this.text = text;
    this.rendering ??= this.render();
  }

  /** Waits until all is shown. */
  async last(text: string | undefined): Promise<void> {
    if (text !== undefined) {
      this.push(text);
    }
    await this.rendering;
  }

  private async render(): Promise<void> {
    while (this.text !== undefined) {
      const text = this.text;
      this.text = undefined;
      this.show(await render(text));
    }
    // Here, not behind the promise: a text that came in between would stay unseen.
    this.rendering = undefined;
  }
}

/** By the editor's own renderer; as it is where the user has turned that off. */
async function render(text: string): Promise<string> {
  try {
    return await vscode.commands.executeCommand<string>('markdown.api.render', markdownForView(text));
  } catch {
    return `<pre>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</pre>`;
  }
}

/** A file of the explanation or of the workspace is shown; for pages of the web the editor asks first. */
async function open(href: string, files: Explanation['files']): Promise<void> {
  const link = fileLink(href);
  if (link === undefined) {
    if (/^https?:/i.test(href)) {
      await vscode.env.openExternal(vscode.Uri.parse(href));
    }
    return;
  }
  const uri = vscode.Uri.parse(link.uri);
  const isGiven = files.some((file) => vscode.Uri.parse(file.uri).toString() === uri.toString());
  if (!isGiven && vscode.workspace.getWorkspaceFolder(uri) === undefined) {
    throw new Error(`${uri.fsPath} is outside of the workspace and is not opened.`);
  }
  const selection = new vscode.Range(link.line, 0, link.line, 0);
  await vscode.window.showTextDocument(uri, { selection, viewColumn: vscode.ViewColumn.One });
}

function stateOf({ loading }: Facts): string {
  return loading === undefined ? 'Working...' : loadingWords(loading);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function page(webview: vscode.Webview, media: vscode.Uri): string {
  const nonce = randomUUID();
  const script = webview.asWebviewUri(vscode.Uri.joinPath(media, 'explain.js'));
  const style = webview.asWebviewUri(vscode.Uri.joinPath(media, 'explain.css'));
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<link rel="stylesheet" href="${style}">
<title>Explain</title>
</head>
<body>
<header>
<h1></h1>
<p class="state" role="status"></p>
<button type="button" hidden>Stop</button>
<p class="problem" role="alert"></p>
</header>
<main></main>
<footer hidden><h2>Files that this is made from</h2><ul></ul></footer>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
