--- One language server per workspace root: started, given its buffers, restarted with back-off. Knows no
--- ghost text. `User GhostfillReady` fires when a server has got a buffer.
local config = require('ghostfill.config')
local executable = require('ghostfill.executable')
local status = require('ghostfill.status')
local wire = require('ghostfill.wire')
local workspace = require('ghostfill.workspace')

local M = {}

local RESTART_DELAYS_MS = { 200, 1000, 5000 }
local STABLE_MS = 120000 -- a server that lived so long starts with a clean record

---@class ghostfill.Server
---@field root string
---@field id integer|nil of the LSP client, nil while no process runs
---@field buffers table<integer, boolean>
---@field restarts integer
---@field started_ms integer
---@field problem string|nil why it does not run
---@field info table|nil serverInfo of the handshake

local SIGTERM = 15

local servers = {} ---@type table<string, ghostfill.Server>

local start

---@param server ghostfill.Server
local function on_exit(server, code, signal)
  if server.id then
    status.forget(server.id)
    require('ghostfill.explain').on_exit(server.id)
  end
  server.id = nil
  if vim.v.exiting ~= vim.NIL then
    return
  elseif signal == SIGTERM or (code == 0 and signal == 0) then
    servers[server.root] = nil -- somebody asked it to go; the next file opened starts another
    return
  end
  if vim.loop.now() - server.started_ms > STABLE_MS then
    server.restarts = 0
  end
  server.restarts = server.restarts + 1
  local delay_ms = RESTART_DELAYS_MS[server.restarts]
  if delay_ms then
    vim.defer_fn(function() start(server) end, delay_ms)
  else
    server.problem = ('the server ended %d times (status %d, signal %d). Run "ghostfill doctor" in a '
      .. 'terminal; :GhostfillToggle tries again'):format(server.restarts, code, signal)
    vim.notify('ghostfill: ' .. server.problem, vim.log.levels.ERROR)
  end
end

local function lsp_config(server, command)
  local settings = config.get().settings
  return {
    name = 'ghostfill',
    cmd = command,
    cmd_cwd = executable.folder(),
    root_dir = server.root,
    capabilities = wire.capabilities(),
    init_options = vim.tbl_deep_extend('force', settings, { client = { status = true } }),
    handlers = {
      didChangeStatus = status.on_change,
      ['$/progress'] = function(...)
        status.on_progress(...)
        require('ghostfill.explain').on_progress()
      end,
      ['ghostfill/didExplain'] = function(...) require('ghostfill.explain').on_text(...) end,
    },
    commands = {
      ['ghostfill.explain'] = function(...) require('ghostfill.explain').on_command(...) end,
      ['ghostfill.fix'] = function(...) require('ghostfill.actions').on_fix(...) end,
      ['ghostfill.document'] = function(...) require('ghostfill.actions').on_document(...) end,
    },
    on_init = function(client, result)
      server.info = result.serverInfo
      if vim.lsp.inline_completion and not config.native() then
        -- Whoever turned the editor's own on for all servers would see everything twice.
        vim.lsp.inline_completion.enable(false, { client_id = client.id })
      end
    end,
    on_attach = vim.schedule_wrap(function()
      vim.api.nvim_exec_autocmds('User', { pattern = 'GhostfillReady', modeline = false })
    end),
    on_exit = vim.schedule_wrap(function(code, signal)
      on_exit(server, code, signal)
    end),
  }
end

---@param server ghostfill.Server
start = function(server)
  local command = config.get().command
  local path, problem = executable.find(command[1], server.root)
  server.problem, server.started_ms = problem, vim.loop.now()
  if not path then
    vim.notify('ghostfill: ' .. problem, vim.log.levels.WARN)
    return
  end
  command[1] = path
  server.id = wire.start(lsp_config(server, command))
  for buf in pairs(server.id and server.buffers or {}) do
    if vim.api.nvim_buf_is_loaded(buf) then
      vim.lsp.buf_attach_client(buf, server.id)
    end
  end
end

--- Gives a buffer its server if the user wants one for it; safe to call again.
---@param buf integer
function M.attach(buf)
  local root = workspace.root_of(buf)
  if not root or not config.wants(vim.bo[buf].filetype) then
    return
  end
  local server = servers[root]
  if not server then
    server = { root = root, buffers = { [buf] = true }, restarts = 0, started_ms = 0 }
    servers[root] = server
    start(server)
  elseif not server.buffers[buf] then
    server.buffers[buf] = true
    if server.id then
      vim.lsp.buf_attach_client(buf, server.id)
    end
  end
end

---@param buf integer
function M.detach(buf)
  for _, server in pairs(servers) do
    server.buffers[buf] = nil
  end
end

---@param buf integer
---@return ghostfill.Server|nil
function M.server_of(buf)
  for _, server in pairs(servers) do
    if server.buffers[buf] then
      return server
    end
  end
end

--- The LSP client that can complete in this buffer now.
---@param buf integer
function M.of(buf)
  local server = M.server_of(buf)
  local client = server and server.id and vim.lsp.get_client_by_id(server.id)
  local can = client and client.server_capabilities
  return can and can.inlineCompletionProvider and client or nil
end

---@return ghostfill.Server[] by root
function M.all()
  local all = vim.tbl_values(servers)
  table.sort(all, function(a, b) return a.root < b.root end)
  return all
end

--- Tries again to start the servers that were given up.
---@return boolean whether there were any
function M.revive()
  local given_up = vim.tbl_filter(function(server) return server.problem and not server.id end, servers)
  for _, server in ipairs(given_up) do
    vim.notify('ghostfill: the server is started again', vim.log.levels.INFO)
    server.restarts = 0
    start(server)
  end
  return #given_up > 0
end

return M
