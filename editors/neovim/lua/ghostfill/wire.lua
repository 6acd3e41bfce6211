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
  -- Edits of code actions are made by our commands: they show a fix before it is applied.
  all.textDocument.codeAction.resolveSupport = { properties = { 'command' } }
  return all
end

---@param client table
---@return 'utf-8'|'utf-16'|'utf-32'
function M.encoding(client)
  return client.offset_encoding or 'utf-16'
end

---@param client table
---@param place ghostfill.Place
local function position_of(client, place)
  return { line = place.row, character = units.count(place.before, M.encoding(client)) }
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
    position = position_of(client, place),
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

--- Runs a command of the server's; `answer(err, result)`.
---@param client table
---@param command string
---@param argument any its only one, or nil
---@param buf integer
---@param answer function
---@return integer|nil id for `cancel`
function M.run(client, command, argument, buf, answer)
  local params = { command = command, arguments = argument ~= nil and { argument } or nil }
  local ok, id = call(client, 'request', 'workspace/executeCommand', params, answer, buf)
  return ok and id or nil
end

---@param client table
function M.accepted(client, item, buf)
  if item.command then
    local params = { command = item.command.command, arguments = item.command.arguments }
    call(client, 'request', 'workspace/executeCommand', params, function() end, buf)
  end
end

---@param client table
---@param id string|nil of the completion; nil is the last one
---@param place ghostfill.Place where it was dismissed, which the server need not have been asked about
function M.dismissed(client, id, place)
  local said = { id = id, uri = vim.uri_from_bufnr(place.buf), position = position_of(client, place) }
  M.run(client, 'ghostfill.dismissed', said, place.buf, function() end)
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
function M.context(client, place, answer)
  local argument = {
    uri = vim.uri_from_bufnr(place.buf),
    position = position_of(client, place),
    show = false, -- it is shown here
  }
  M.run(client, 'ghostfill.showContext', argument, place.buf, answer)
end

---@param column integer bytes from 0; -1 is the line's end
local function position(buf, row, column, encoding)
  local line = vim.api.nvim_buf_get_lines(buf, row, row + 1, false)[1] or ''
  return { line = row, character = units.count(line:sub(1, column), encoding) }
end

--- Diagnostics of a buffer as the protocol has them.
---@param found table[] as vim.diagnostic.get gives them
local function told(buf, found, encoding)
  return vim.tbl_map(function(each)
    local first = position(buf, each.lnum, each.col, encoding)
    local last = position(buf, each.end_lnum or each.lnum, each.end_col or each.col, encoding)
    return {
      range = { start = first, ['end'] = last },
      message = each.message,
      severity = each.severity,
      source = each.source,
    }
  end, found)
end

--- What is known to be wrong in a buffer as it stands.
---@param client table
---@param buf integer
---@param found table[] as vim.diagnostic.get gives them
function M.diagnostics(client, buf, found)
  local versions = vim.lsp.util.buf_versions
  call(client, 'notify', 'ghostfill/didChangeDiagnostics', {
    uri = vim.uri_from_bufnr(buf),
    version = versions and versions[buf],
    diagnostics = told(buf, found, M.encoding(client)),
  })
end

---@class ghostfill.Lines
---@field first integer from 0
---@field last integer inclusive

--- What an action is about: whole lines, or the cursor's place, with what others find wrong there.
---@param client table
---@param place ghostfill.Place
---@param lines ghostfill.Lines|nil
---@param found table[]|nil as vim.diagnostic.get gives them
---@return table argument
function M.target(client, place, lines, found)
  local encoding = M.encoding(client)
  local argument = { uri = vim.uri_from_bufnr(place.buf) }
  if lines then
    local finish = position(place.buf, lines.last, -1, encoding)
    argument.range = { start = { line = lines.first, character = 0 }, ['end'] = finish }
  else
    argument.position = position_of(client, place)
  end
  argument.diagnostics = found and #found > 0 and told(place.buf, found, encoding) or nil
  return argument
end

return M
