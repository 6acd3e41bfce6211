/** What a user is. */
export interface User extends Entity<string>, Named.Thing {
  readonly id: string;
  name?: string,
  tags: string[]
  greet(other: User): string;
  (x: number): string;
  new (name: string): User;
  [key: string]: unknown;
}

export type Pair<A, B = A> = { first: A; second: B };
export type Name = string;
type Hidden = Pick<User, "id" | "name">;
export type Event =
  | { type: "created"; user: User; at: Date }
  // the name only
  | { type: "renamed"; user: User; from: string; to: string; at: Date }
  | { type: "deleted"; id: string };
export type Keys<T> = { [K in keyof T]: T[K] extends Function ? never : K }[keyof T];

export enum Color {
  Red,
  Green = "green",
  Blue = 1 << 2, // a comment
}

export declare const enum Direction { Up = 1, Down }
export const table: Record<string, number> = {
  one: 1,
  two: 2,
  three: 3,
  four: 4,
  five: 5,
  six: 6,
  seven: 7,
  eight: 8,
  nine: 9,
  ten: 10,
  eleven: 11,
  twelve: 12,
};
export const answer = 42 as const;
