/** Tells the server where the user is and what other servers say of it: LSP itself has no words for that. */
import * as vscode from 'vscode';
import type { Server } from './server';

/** Follows the active editor and the diagnostics. */
export function followFocus(server: Server): vscode.Disposable[] {
  const tellFocus = () => sendFocus(server, vscode.window.activeTextEditor?.document);
  let wasRunning = false;
  return [
    vscode.window.onDidChangeActiveTextEditor(tellFocus),
    vscode.languages.onDidChangeDiagnostics(({ uris }) => {
      for (const uri of uris) {
        sendDiagnostics(server, uri);
      }
    }),
    server.onDidChange(({ life }) => {
      const isRunning = life === 'running';
      if (isRunning && !wasRunning) {
        tellFocus();
        for (const { uri } of vscode.workspace.textDocuments) {
          sendDiagnostics(server, uri);
        }
      }
      wasRunning = isRunning;
    }),
  ];
}

function sendFocus(server: Server, document: vscode.TextDocument | undefined): void {
  const client = server.running;
  if (client !== undefined && document !== undefined && isOurs(document)) {
    const textDocument = client.code2ProtocolConverter.asTextDocumentIdentifier(document);
    server.notify('textDocument/didFocus', { textDocument });
  }
}

function sendDiagnostics(server: Server, uri: vscode.Uri): void {
  const document = vscode.workspace.textDocuments.find((each) => each.uri.toString() === uri.toString());
  const client = server.running;
  if (client !== undefined && document !== undefined && isOurs(document)) {
    const diagnostics = vscode.languages
      .getDiagnostics(uri)
      .map((each) => client.code2ProtocolConverter.asDiagnostic(each));
    const params = { uri: client.code2ProtocolConverter.asUri(uri), version: document.version, diagnostics };
    server.notify('ghostfill/didChangeDiagnostics', params);
  }
}

function isOurs(document: vscode.TextDocument): boolean {
  return document.uri.scheme === 'file' || document.uri.scheme === 'untitled';
}
