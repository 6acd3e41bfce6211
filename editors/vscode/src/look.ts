/** What the status bar shows for what is known. Pure; knows no editor. */

export type Kind = 'Normal' | 'Warning' | 'Error' | 'Inactive';

/** The server's `didChangeStatus`. */
export interface Status {
  readonly kind: Kind;
  readonly busy: boolean;
  readonly message: string;
}

/** Where the server is in its life. */
export type Life = 'stopped' | 'starting' | 'running' | 'restarting' | 'missing' | 'failed';

export interface Facts {
  readonly life: Life;
  /** Why it does not run, as a sentence. */
  readonly problem?: string | undefined;
  readonly status?: Status | undefined;
  /** How much of the model is loaded, while it is loaded. */
  readonly percentage?: number | undefined;
}

export type State =
  | 'off'
  | 'starting'
  | 'loading'
  | 'busy'
  | 'ready'
  | 'warning'
  | 'error'
  | 'inactive'
  | 'snoozed';

export interface Look {
  readonly state: State;
  readonly text: string;
  /** One sentence or name on what is going on. */
  readonly detail: string;
}

const ICONS: Readonly<Record<State, string>> = {
  off: 'circle-slash',
  starting: 'loading~spin',
  loading: 'loading~spin',
  busy: 'loading~spin',
  ready: 'sparkle',
  warning: 'warning',
  error: 'error',
  inactive: 'circle-slash',
  snoozed: 'bell-slash',
};

/** Text, icon and sentence. */
export function look(facts: Facts): Look {
  const state = stateOf(facts);
  const percentage =
    state === 'loading' && facts.percentage !== undefined ? ` ${Math.floor(facts.percentage)}%` : '';
  return { state, text: `$(${ICONS[state]}) ghostfill${percentage}`, detail: detailOf(facts, state) };
}

function stateOf(facts: Facts): State {
  switch (facts.life) {
    case 'missing':
    case 'failed':
      return 'error';
    case 'stopped':
      return 'off';
    case 'starting':
    case 'restarting':
      return 'starting';
    case 'running':
      return runningState(facts);
  }
}

function runningState({ status, percentage }: Facts): State {
  if (status?.kind === 'Inactive') {
    return /snoozed/i.test(status.message) ? 'snoozed' : 'inactive';
  }
  if (status?.kind === 'Error') {
    return 'error';
  }
  if (percentage !== undefined) {
    return 'loading';
  }
  if (status?.kind === 'Warning') {
    return 'warning';
  }
  if (status === undefined) {
    return 'starting';
  }
  return status.busy ? 'busy' : 'ready';
}

function detailOf(facts: Facts, state: State): string {
  if (facts.life !== 'running') {
    const words = { stopped: 'not running', starting: 'starting', restarting: 'starting again' };
    return facts.problem ?? words[facts.life as keyof typeof words] ?? '';
  }
  return facts.status?.message || state;
}
