import a from "./a";
const b = require("./b");

export class Tree extends a.Base {
  grow(amount) {
    return this.size + (amount;
  }

  shrink() {}

export function plant(seed) {
  const
}
