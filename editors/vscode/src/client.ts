/**
 * The language client: what is sent to the server and what is left out. The server's commands are not registered
 * by the library but by us, so that they exist before a server runs and may ask the user for what they need.
 */
import * as vscode from 'vscode';
import {
  type DynamicFeature,
  ExecuteCommandRequest,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  type StaticFeature,
} from 'vscode-languageclient/node';
import { configuration, type Declarations, type Inspect, SECTION } from './settings';

/** Where completions are offered; the server sorts out languages and private files. */
const SELECTOR = [{ scheme: 'file' }, { scheme: 'untitled' }];

/** A client that leaves the commands to us, and what the user is told. */
export class Client extends LanguageClient {
  /** To the log only: the library would show its own words to the user, one message for each layer. */
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }

  override registerFeature(feature: StaticFeature | DynamicFeature<unknown>): void {
    const type = 'registrationType' in feature ? feature.registrationType : undefined;
    if (type?.method !== ExecuteCommandRequest.method) {
      super.registerFeature(feature);
    }
  }
}

/** Our settings as the editor holds them now. */
export function inspector(): Inspect {
  const section = vscode.workspace.getConfiguration(SECTION);
  return (key) => section.inspect(key);
}

/** The settings that package.json declares, by key without the section's name. */
export function declarationsOf(context: vscode.ExtensionContext): Declarations {
  const declared: { properties: Declarations }[] = [
    context.extension.packageJSON.contributes.configuration,
  ].flat();
  const entries = declared.flatMap((group) => Object.entries(group.properties));
  return Object.fromEntries(entries.map(([key, value]) => [key.slice(SECTION.length + 1), value]));
}

/** Options that are the same for every start. */
export function clientOptions(
  declarations: Declarations,
  log: vscode.LogOutputChannel,
  more: Pick<LanguageClientOptions, 'errorHandler' | 'initializationOptions'> & { middleware: Middleware },
): LanguageClientOptions {
  return {
    documentSelector: SELECTOR,
    outputChannel: log,
    initializationFailedHandler: () => false,
    ...more,
    middleware: {
      ...more.middleware,
      workspace: {
        // The library would answer with all that the workspace says, and with defaults as if they were set.
        configuration: ({ items }) =>
          items.map((item) => (item.section === SECTION ? configuration(declarations, inspector()) : null)),
      },
    },
  };
}
