/**
 * The server of this window: found, started, started again after a crash, and what is known of it. Hides the
 * language client; knows no view.
 */
import { homedir } from 'node:os';
import { performance } from 'node:perf_hooks';
import * as vscode from 'vscode';
import {
  CloseAction,
  ErrorAction,
  ErrorCodes,
  type Executable,
  ExecuteCommandRequest,
  ResponseError,
  State,
} from 'vscode-languageclient/node';
import { Client, clientOptions, declarationsOf, inspector } from './client';
import { Crashes } from './crashes';
import { findExecutable } from './executable';
import { LightBulb } from './lightBulb';
import { type Facts, type Life, look, type Status } from './look';
import { Progress } from './progress';
import { type Declarations, initializationOptions, restrictedKeys, SECTION, userCommand } from './settings';

/** What the server sends while it explains. */
export interface DidExplain {
  readonly token: string;
  readonly text: string;
  readonly done: boolean;
}

/** There is no server to ask; the message says why. */
export class NoServerError extends Error {}

export class Server implements vscode.Disposable {
  readonly onDidChange: vscode.Event<Facts>;
  readonly onDidExplain: vscode.Event<DidExplain>;
  private readonly changed = new vscode.EventEmitter<Facts>();
  private readonly explained = new vscode.EventEmitter<DidExplain>();
  private readonly crashes = new Crashes();
  private readonly declarations: Declarations;
  private current: Facts = { life: 'starting' };
  private client: Client | undefined;
  private nextStart: NodeJS.Timeout | undefined;
  private lastStep: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly context: vscode.ExtensionContext,
    readonly log: vscode.LogOutputChannel,
  ) {
    this.onDidChange = this.changed.event;
    this.onDidExplain = this.explained.event;
    this.declarations = declarationsOf(context);
  }

  /** What is known now. */
  get facts(): Facts {
    return this.current;
  }

  /** The running client, for conversions and notifications. */
  get running(): Client | undefined {
    return this.client?.state === State.Running ? this.client : undefined;
  }

  /** Starts it anew, with the command and the settings as they are now. */
  restart(): Promise<void> {
    return this.inTurn(async () => {
      this.crashes.forget();
      await this.end('starting');
      await this.start();
    });
  }

  /** Ends it. */
  stop(): Promise<void> {
    return this.inTurn(() => this.end('stopped'));
  }

  /** The running client; raises NoServerError. */
  get connected(): Client {
    if (this.running === undefined) {
      throw new NoServerError(this.current.problem ?? `The server is ${look(this.current).detail}.`);
    }
    return this.running;
  }

  /** Waits for a server that is being started. */
  async ready(): Promise<Client> {
    await this.lastStep;
    if (this.client?.state === State.Starting) {
      await this.client.start();
    }
    return this.connected;
  }

  /** Sends one of the server's commands; raises what the server answers as an error. */
  async execute<T>(command: string, argument?: object, token?: vscode.CancellationToken): Promise<T> {
    const client = await this.ready();
    const params = { command, arguments: argument === undefined ? [] : [argument] };
    try {
      // An undefined token would be sent as a second parameter.
      const more = token === undefined ? [] : [token];
      return await client.sendRequest(ExecuteCommandRequest.type, params, ...more);
    } catch (error) {
      throw isLoss(error) ? new NoServerError('The server ended before it had answered. Try again.') : error;
    }
  }

  /** Tells the server something, if there is one. */
  notify(method: string, params: object): void {
    this.running?.sendNotification(method, params).catch((error) => this.log.warn(`${method}: ${error}`));
  }

  /** The settings have changed: what only the user may set needs a new server, the rest is read again. */
  async configurationChanged(event: vscode.ConfigurationChangeEvent): Promise<void> {
    if (restrictedKeys(this.declarations).some((key) => event.affectsConfiguration(`${SECTION}.${key}`))) {
      await this.restart();
    } else if (event.affectsConfiguration(SECTION)) {
      this.notify('workspace/didChangeConfiguration', { settings: {} });
    }
  }

  dispose(): void {
    void this.stop();
    this.changed.dispose();
    this.explained.dispose();
  }

  private inTurn(step: () => Promise<void>): Promise<void> {
    const next = this.lastStep.then(step);
    this.lastStep = next.catch(() => undefined);
    return next;
  }

  private async end(life: Life): Promise<void> {
    clearTimeout(this.nextStart);
    const client = this.client;
    this.client = undefined;
    this.set({ life });
    // A server that does not answer `shutdown` is ended by the library.
    await client?.dispose().catch((error) => this.log.warn(`the server did not end well: ${error}`));
  }

  private async start(): Promise<void> {
    const executable = await this.executable();
    if (executable === undefined) {
      return;
    }
    this.set({ life: 'starting' });
    this.crashes.started(performance.now());
    this.log.info(`starting ${[executable.command, ...(executable.args ?? [])].join(' ')}`);
    const client = this.newClient(executable);
    this.client = client;
    try {
      await client.start();
    } catch (error) {
      if (isRefusal(error)) {
        this.fail(`The ghostfill server did not start: ${error.message}`);
      } else {
        this.ended(client);
      }
    }
  }

  private newClient(executable: Executable): Client {
    const progress = new Progress();
    const client: Client = new Client(
      'ghostfill',
      'ghostfill',
      executable,
      clientOptions(this.declarations, this.log, {
        initializationOptions: () => initializationOptions(this.declarations, inspector()),
        errorHandler: {
          error: () => ({ action: ErrorAction.Continue, handled: true }),
          closed: () => {
            this.ended(client);
            return { action: CloseAction.DoNotRestart, handled: true };
          },
        },
        middleware: {
          handleWorkDoneProgress: (token, value) =>
            this.set({ ...this.current, loading: progress.take(token, value) }),
        },
      }),
    );
    client.registerFeature(new LightBulb());
    client.onNotification('didChangeStatus', (status: Status) => this.set({ ...this.current, status }));
    client.onNotification('ghostfill/didExplain', (value: DidExplain) => this.explained.fire(value));
    client.onDidChangeState(({ newState }) => newState === State.Running && this.set({ life: 'running' }));
    return client;
  }

  /** A server has ended by itself: another one is started after a while, with a client of its own. */
  private ended(client: Client): void {
    if (client !== this.client) {
      return;
    }
    this.client = undefined;
    const delayMs = this.crashes.delayMs(performance.now());
    if (delayMs === undefined) {
      this.fail(
        `The ghostfill server ended ${this.crashes.inARow} times in a row and is not started again. ` +
          'Its log says more, and so does "ghostfill doctor" in a terminal.',
      );
      return;
    }
    this.set({ life: 'restarting' });
    this.nextStart = setTimeout(() => this.inTurn(() => this.start()), delayMs);
  }

  private async executable(): Promise<Executable | undefined> {
    const [name = '', ...args] = userCommand(vscode.workspace.getConfiguration(SECTION).inspect('command'));
    const found = findExecutable(name, {
      path: process.env['PATH'] ?? '',
      home: homedir(),
      roots: (vscode.workspace.workspaceFolders ?? []).map((folder) => folder.uri.fsPath),
      windows: process.platform === 'win32',
    });
    if ('problem' in found) {
      this.log.error(found.problem);
      this.set({ life: 'missing', problem: found.problem });
      return undefined;
    }
    // The workspace is no place to start in: what lies there could be picked up.
    const cwd = this.context.globalStorageUri.fsPath;
    await vscode.workspace.fs.createDirectory(this.context.globalStorageUri);
    return { command: found.path, args, options: { cwd } };
  }

  private fail(problem: string): void {
    this.log.error(problem);
    this.set({ life: 'failed', problem });
  }

  private set(facts: Facts): void {
    this.current = facts;
    this.changed.fire(facts);
  }
}

/** What the library says in the server's place when the connection is gone. */
const CONNECTION_CODES: readonly number[] = [
  ErrorCodes.MessageWriteError,
  ErrorCodes.MessageReadError,
  ErrorCodes.PendingResponseRejected,
  ErrorCodes.ConnectionInactive,
];

/** Nothing was answered: the connection is gone. */
function isLoss(error: unknown): boolean {
  return error instanceof ResponseError && CONNECTION_CODES.includes(error.code);
}

/** The server itself said no; it would again. */
function isRefusal(error: unknown): error is ResponseError<unknown> {
  return error instanceof ResponseError && !isLoss(error);
}
