--- What the user asked for in setup(). Reads nothing from the opened workspace; knows no LSP.
local M = {}

---@class ghostfill.Keys each is a key, or false for none
---@field accept string|false
---@field accept_word string|false
---@field accept_line string|false
---@field dismiss string|false
---@field trigger string|false
---@field next string|false
---@field previous string|false

---@class ghostfill.Config
---@field command string[] the language server; a bare name is looked up on PATH outside the workspace
---@field filetypes table<string, boolean> merged over the defaults; a filetype that is not named is off
---@field keys ghostfill.Keys
---@field settings table initializationOptions: the keys of ghostfill.toml in camelCase
---@field auto boolean ask while typing; if false only keys ask
---@field beside_menu boolean ghost text stays while nvim-cmp's or blink.cmp's menu is open
---@field native boolean Neovim's own inline completion draws (0.12 and newer)

local on_by_default = [[
  asm bash bzl c clojure cmake cpp cs css cuda dart dockerfile elixir erlang fish fsharp go groovy haskell hcl
  html java javascript javascriptreact json jsonc julia kotlin less lisp lua make matlab nim nix objc ocaml
  perl php proto ps1 python r ruby rust scala scheme scss sh solidity sql svelte swift tcl terraform tex toml
  typescript typescriptreact verilog vhdl vim vue xml yaml zig zsh
]]

---@return ghostfill.Config
local function defaults()
  local filetypes = {}
  for name in on_by_default:gmatch('%S+') do
    filetypes[name] = true
  end
  return {
    command = { 'ghostfill', 'serve' },
    filetypes = filetypes,
    keys = {
      accept = '<Tab>',
      accept_word = '<M-Right>',
      accept_line = '<M-Down>',
      dismiss = '<C-e>',
      trigger = [[<M-\>]],
      next = '<M-]>',
      previous = '<M-[>',
    },
    settings = {},
    auto = true,
    beside_menu = false,
    native = false,
  }
end

local config = defaults()
local decided = false

local function complain(problem)
  vim.notify('ghostfill: setup(): ' .. problem, vim.log.levels.WARN)
end

local function names(of)
  local keys = vim.tbl_keys(of)
  table.sort(keys)
  return table.concat(keys, ', ')
end

--- The options that can be used; says what is wrong with the others.
local function checked(opts)
  local known, good = defaults(), {}
  for name, value in pairs(opts) do
    if known[name] == nil then
      complain(('unknown option %q (there are: %s)'):format(tostring(name), names(known)))
    elseif type(value) ~= type(known[name]) then
      complain(('%s must be a %s'):format(name, type(known[name])))
    elseif name == 'command' and type(value[1]) ~= 'string' then
      complain("command must be a list such as { 'ghostfill', 'serve' }")
    elseif name == 'native' and value and not vim.lsp.inline_completion then
      complain('native needs Neovim 0.12 or newer')
    else
      good[name] = value
    end
  end
  for name, lhs in pairs(good.keys or {}) do
    if known.keys[name] == nil or (lhs and type(lhs) ~= 'string') then
      complain(('keys.%s must be a key or false, and one of: %s'):format(tostring(name), names(known.keys)))
      good.keys = vim.deepcopy(good.keys)
      good.keys[name] = nil
    end
  end
  return good
end

---@param opts table|nil
---@return ghostfill.Config
function M.set(opts)
  local wanted = vim.tbl_deep_extend('force', defaults(), checked(opts or {}))
  if decided then
    -- A later call may come from a file of the opened workspace ('exrc'): it must not choose programs.
    if opts and (opts.command or opts.settings) then
      complain('command and settings were fixed by the first call; restart Neovim to change them')
    end
    wanted.command, wanted.settings = config.command, config.settings
  end
  config, decided = wanted, true
  return M.get()
end

--- A copy: what is done to it changes nothing here.
---@return ghostfill.Config
function M.get()
  return vim.deepcopy(config)
end

function M.is_set_up()
  return decided
end

---@param filetype string
function M.wants(filetype)
  return config.filetypes[filetype] == true
end

function M.auto()
  return config.auto
end

function M.beside_menu()
  return config.beside_menu
end

function M.native()
  return config.native
end

return M
