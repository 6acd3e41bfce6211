export { User as Person } from "./types";
export type { Name } from "./types";
import shared = require("shared");

declare module "express" {
  interface Request {
    user?: string;
  }
}

declare global {
  interface Window {
    app: unknown;
  }
}

export namespace Geometry.Plane {
  export const origin = { x: 0, y: 0 };
  export function distance(a: Point, b: Point): number {
    return Math.hypot(a.x - b.x, a.y - b.y);
  }
}

export declare function load(name: string): void;
declare let counter: number;
declare class Ambient {
  method(): void;
}

export = shared;
