/** How often the server has ended by itself, and how long to wait before it is started again. Knows no editor. */

const DELAYS_MS: readonly number[] = [200, 1000, 5000];
/** A server that lived so long starts with a clean record. */
const STABLE_MS = 120_000;

export class Crashes {
  private count = 0;
  private startedMs = 0;

  /** A server is being started. */
  started(nowMs: number): void {
    this.startedMs = nowMs;
  }

  /** It has ended: how long to wait, or undefined to give it up. */
  delayMs(nowMs: number): number | undefined {
    if (nowMs - this.startedMs > STABLE_MS) {
      this.count = 0;
    }
    return DELAYS_MS[this.count++];
  }

  /** The user wants it tried again. */
  forget(): void {
    this.count = 0;
  }

  /** How many ends in a row there were. */
  get inARow(): number {
    return this.count;
  }
}
