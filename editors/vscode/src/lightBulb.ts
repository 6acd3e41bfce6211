/**
 * What the server is told that we cannot do, because we do it better: edits of code actions are made by our
 * commands, which show progress, can be cancelled, say what went wrong, and show a fix before it is applied.
 */
import type { ClientCapabilities, FeatureState, StaticFeature } from 'vscode-languageclient/node';

/** Comes behind the library's features, whose word it takes back. */
export class LightBulb implements StaticFeature {
  fillClientCapabilities({ textDocument, workspace }: ClientCapabilities): void {
    delete textDocument?.codeAction?.resolveSupport;
    delete workspace?.workspaceEdit?.changeAnnotationSupport;
  }

  initialize(): void {}

  getState(): FeatureState {
    return { kind: 'static' };
  }

  clear(): void {}
}
