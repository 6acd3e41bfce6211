/** On and off, as the server keeps them: everything, a language, a while. */
import * as vscode from 'vscode';
import { asObject, editorOrThrow } from './place';
import type { Server } from './server';

interface Switched {
  readonly enabled: boolean;
  readonly message: string;
}

const SHOWN_MS = 5000;

/** Turns everything off or on. */
export async function toggle(server: Server): Promise<void> {
  tell(await server.execute<Switched>('ghostfill.toggle'));
}

/** Turns the language of the active editor off or on. */
export async function toggleLanguage(server: Server): Promise<void> {
  const language = editorOrThrow().document.languageId;
  tell(await server.execute<Switched>('ghostfill.toggle', { language }));
}

/** Turns everything off for a while; asks for how long, unless the argument says it. */
export async function snooze(server: Server, argument: unknown): Promise<void> {
  const given = asObject(argument)['minutes'];
  const minutes = typeof given === 'number' ? given : await askForMinutes();
  if (minutes !== undefined) {
    tell(await server.execute<Switched>('ghostfill.snooze', { minutes }));
  }
}

async function askForMinutes(): Promise<number | undefined> {
  const choices = [5, 15, 60].map((minutes) => ({ label: `$(bell-slash) ${minutes} minutes`, minutes }));
  const end = { label: '$(bell) End the snooze', minutes: 0 };
  const title = 'Snooze completions';
  return (await vscode.window.showQuickPick([...choices, end], { title }))?.minutes;
}

function tell({ message }: Switched): void {
  vscode.window.setStatusBarMessage(`ghostfill: ${message}`, SHOWN_MS);
}
