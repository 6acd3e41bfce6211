import React, { useState as useLocal, useMemo } from "react";
import * as paths from "./paths.js";
import helper, * as everything from "./helper.js";
import "./polyfill.js";
export { read as load, write, default as Store } from "./store.js";
export * from "./constants.js";
export * as shapes from "./shapes.js";
const config = await import("./config.js");

/**
 * Adds numbers.
 * @param {number[]} numbers
 */
export function sum(...numbers) {
  return numbers.reduce((total, number) => total + number, 0);
}

export async function* pages(url, { size = 10, retries = { count: 3, delay: [1, 2] } } = {}) {
  for (let page = 0; ; page++) {
    const { fetchPage } = await import("./fetch.js");
    yield fetchPage(url, page, size, retries);
    const next = page + 1;
    if (next > 100) {
      return;
    }
    await helper.wait(next);
    await everything.rest();
    paths.note(page);
  }
}

/** @private */
const double = (x) => x * 2;
const twice = function (f) {
  return (x) => f(f(x));
};
export const LIMIT = 10, STEP = double(LIMIT);
export const { first, second: renamed, ...others } = config.default;
export const COLORS = [
  "red",
  "orange",
  "yellow",
  "green",
  "blue",
];
export const message =
  "a long text that goes over several lines, " +
  "because whoever wrote it did not like long lines, " +
  "or had a rule against them, " +
  "which is the more likely reason";

export const Button = React.memo(function Button({ label, onClick }) {
  const [count, setCount] = useLocal(0);
  return useMemo(() => [label, count, setCount, onClick], [label]);
});

export default class Account extends React.Component {
  static defaultCurrency = "EUR";
  #secret = 1;
  balance = 0

  /** Opens it. */
  constructor(owner, options = {}) {
    super(options);
    this.owner = owner;
    this._hidden = true;
    this.history = options.history || [
      { type: "opened", by: owner, at: Date.now(), because: "somebody wanted an account" },
    ];
    this.owner = "again";
  }

  get total() {
    return this.balance;
  }

  set total(value) {
    this.balance = value;
  }

  pay = async (amount) => {
    this.balance += amount;
  };

  static async open(owner) {
    return new Account(owner);
  }

  #check() {}

  *[Symbol.iterator]() {
    yield* this.history;
  }
}

function hidden() {
  return twice;
}
export { hidden as shown };
