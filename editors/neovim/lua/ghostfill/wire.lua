--- What is said to a server. Hides that the calls of an LSP client changed in Neovim 0.11; keeps nothing.
local units = require('ghostfill.units')

local M = {}

local methods = vim.fn.has('nvim-0.11') == 1

local function call(client, name, ...)
  if methods then
    return client[name](client, ...)
  end
  return client[name](...)
end

--- Starts a process of its own for this configuration, with no buffer yet.
---@return integer|nil client_id
function M.start(config)
  if methods then
    return vim.lsp.start(config, { attach = false, reuse_client = function() return false end })
  end
  return vim.lsp.start_client(config)
end

function M.capabilities()
  local all = vim.lsp.protocol.make_client_capabilities()
  all.textDocument.inlineCompletion = { dynamicRegistration = false }
  return all
end

---@param client table
---@return 'utf-8'|'utf-16'|'utf-32'
function M.encoding(client)
  return client.offset_encoding or 'utf-16'
end

--- Asks for completions at a place; `answer(err, result)` is not called once the server confirms a cancel.
---@param client table
---@param place ghostfill.Place
---@param invoked boolean|nil asked for by key, not while typing
---@param answer function
---@return integer|nil id for `cancel`
function M.ask(client, place, invoked, answer)
  local ok, id = call(client, 'request', 'textDocument/inlineCompletion', {
    textDocument = { uri = vim.uri_from_bufnr(place.buf) },
    position = { line = place.row, character = units.count(place.before, M.encoding(client)) },
    context = { triggerKind = invoked and 1 or 2 },
  }, answer, place.buf)
  return ok and id or nil
end

---@param client table
---@param id integer
function M.cancel(client, id)
  call(client, 'cancel_request', id)
end

---@param client table
function M.shown(client, item)
  call(client, 'notify', 'textDocument/didShowCompletion', { item = item })
end

---@param client table
function M.accepted(client, item, buf)
  if item.command then
    local params = { command = item.command.command, arguments = item.command.arguments }
    call(client, 'request', 'workspace/executeCommand', params, function() end, buf)
  end
end

---@param client table
---@param length integer in UTF-16 units
function M.partially_accepted(client, item, length)
  local params = { item = item, acceptedLength = length }
  call(client, 'notify', 'textDocument/didPartiallyAcceptCompletion', params)
end

---@param client table
function M.focus(client, buf)
  call(client, 'notify', 'textDocument/didFocus', { textDocument = { uri = vim.uri_from_bufnr(buf) } })
end

--- Asks what the next completion at a place would send; `answer(err, result)`.
---@param client table
---@param place ghostfill.Place
---@param answer function
function M.explain(client, place, answer)
  local argument = {
    uri = vim.uri_from_bufnr(place.buf),
    position = { line = place.row, character = units.count(place.before, M.encoding(client)) },
    show = false, -- it is shown here
  }
  local params = { command = 'ghostfill.showContext', arguments = { argument } }
  call(client, 'request', 'workspace/executeCommand', params, answer, place.buf)
end

return M
