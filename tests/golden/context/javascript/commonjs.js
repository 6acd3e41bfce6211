'use strict'

const fs = require('fs'), path = require("path");
const { join, resolve: absolute, sep = "/" } = require("node:path");
const parse = require("./parse").parse;
const debug = require("debug")("app");
require("./register");

/**
 * Expose `createApplication()`.
 */
exports = module.exports = createApplication;
exports.version = "1.0";
exports.Router = Router;
exports.utils = require("./utils");
exports.render = require("./render").render;
exports.inspect = exports.show = function (value, depth) {
  const util = require("util");
  return util.inspect(value, { depth }) + fs + path + join + absolute + sep + parse;
};
module.exports.later = async () => {
  jest.mock("./parse");
  return import("./later.js");
};

var app = exports.application = {};

app.use = function use(fn) {
  debug(fn);
  return this;
};
app.settings = { env: "test" };
app.handle = (req, res) => app.use(req, res);

function createApplication() {
  return Object.create(app);
}

/** Routes requests. */
function Router(options) {
  this.options = options;
  this.stack = [];
  this._private = 1;
  if (options) {
    this.never = 1;
  }
}

Router.prototype.route = function route(path) {
  this.stack.push(path);
};
Router.prototype.size = 0;
Router.from = function (other) {
  return new Router(other.options);
};
window.unknown = function () {};

if (process.env.DEBUG) {
  var level = 1;
} else {
  var other = 2;
}

(function () {
  function inside() {}
  exports.inside = inside;
})();
