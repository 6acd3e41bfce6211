/** What the server loads, of several things at a time the one begun last. Pure; knows no editor. */

/** A thing that is loaded, and how many per cent of it are. */
export interface Loading {
  readonly what: string;
  readonly percentage: number;
}

/** The protocol's work-done progress: its first message has a title, the others may leave out what stays. */
export interface ProgressValue {
  readonly kind: string;
  readonly title?: string;
  readonly message?: string | undefined;
  readonly percentage?: number | undefined;
}

/** Keeps what is under way, by token. */
export class Progress {
  private readonly underWay = new Map<string | number, Loading>();

  /** Takes a message, and gives what is under way then. */
  take(token: string | number, value: ProgressValue): Loading | undefined {
    const { what = '', percentage = 0 } = this.underWay.get(token) ?? {};
    if (value.kind === 'end') {
      this.underWay.delete(token);
    } else {
      this.underWay.set(token, {
        what: value.message ?? value.title ?? what,
        percentage: value.percentage ?? percentage,
      });
    }
    return [...this.underWay.values()].at(-1);
  }
}

/** "loading builtin 40 %". */
export function loadingWords({ what, percentage }: Loading): string {
  return `${what} ${Math.floor(percentage)} %`;
}
