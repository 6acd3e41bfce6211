/** What the status bar shows for what is known. Pure; knows no editor. */
import { type Loading, loadingWords } from './progress';

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
  /** Which model is loaded, while one is. */
  readonly loading?: Loading | undefined;
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
  const done = state === 'loading' ? facts.loading?.percentage : undefined;
  const percentage = done === undefined ? '' : ` ${Math.floor(done)}%`;
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

function runningState({ status, loading }: Facts): State {
  if (status?.kind === 'Inactive') {
    return /snoozed/i.test(status.message) ? 'snoozed' : 'inactive';
  }
  if (status?.kind === 'Error') {
    return 'error';
  }
  if (loading !== undefined) {
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
  if (state === 'loading' && facts.loading?.what) {
    return loadingWords(facts.loading);
  }
  return facts.status?.message || state;
}
