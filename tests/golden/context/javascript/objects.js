/** Talks to the server. */
const api = {
  base: "https://example.org",
  timeouts: { connect: 1000, read: 5000, write: 5000, total: 60000, of_all: "a very long time, really, you would not believe it" },
  get(path) {
    return this.send("GET", path);
  },
  post: async (path, body) => {
    return api.send("POST", path, body);
  },
  "put-it": function (path) {},
  nested: {
    deep() {
      return 1;
    },
  },
  async *stream() {},
  [computed]: 1,
  ...rest,
};

const small = { a: 1, b: 2 };
const helpers = { isArray, isArrayBuffer, isBuffer, isFormData, isArrayBufferView, isString, isNumber, isBoolean, isObject };

const proto = module.exports = {
  inspect() {
    return this;
  },
  toJSON() {},
};

export const counter = createSlice({
  name: "counter",
  initialState: { value: 0 },
  reducers: {
    increment(state) {
      state.value += 1;
    },
    add: (state, action) => {
      state.value += action.payload;
    },
  },
});
