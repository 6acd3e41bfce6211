--- `:GhostfillFix` and `:GhostfillDocument`: edits by the server. A fix is looked at before it is applied.
local client = require('ghostfill.client')
local diagnostics = require('ghostfill.diagnostics')
local edits = require('ghostfill.edits')
local floats = require('ghostfill.float')
local offers = require('ghostfill.offer')
local say = require('ghostfill.say')
local wire = require('ghostfill.wire')

local M = {}

local CHANGED = 'the text has changed meanwhile; nothing was done'

local pending ---@type table|nil the request under way: server and id

--- Ends the request under way.
---@return boolean whether there was one
function M.cancel()
  local ended = pending
  pending = nil
  if ended then
    vim.api.nvim_echo({ { '' } }, false, {})
    wire.cancel(ended.server, ended.id)
  end
  return ended ~= nil
end

--- What the server answered; `on_changes` gets the changes if there are some.
local function on_answer(err, result, is_same_text, on_changes)
  if err or type(result) ~= 'table' then
    return say.failure(err)
  elseif type(result.edit) ~= 'table' then
    return say.info(result.message)
  elseif not is_same_text then
    return say.warn(CHANGED)
  end
  local changes = edits.changes(result.edit)
  if changes then
    on_changes(changes, result.message)
  else
    say.warn('the edit does more than change texts; nothing was done')
  end
end

--- Asks for an edit to the text as it stands, which is made here, and only to that text.
---@param buf integer
local function ask(server, buf, command, argument, on_changes)
  M.cancel()
  local tick, request = vim.api.nvim_buf_get_changedtick(buf), { server = server }
  argument = vim.tbl_extend('force', argument, { apply = false })
  vim.api.nvim_echo({ { 'ghostfill: asking the model ... (:GhostfillCancel ends it)' } }, false, {})
  request.id = wire.run(server, command, argument, buf, function(err, result)
    if pending == request then
      pending = nil
      vim.api.nvim_echo({ { '' } }, false, {})
      on_answer(err, result, vim.api.nvim_buf_get_changedtick(buf) == tick, on_changes)
    end
  end)
  pending = request.id and request or nil
end

local function apply(changes, encoding, message)
  if edits.apply(changes, encoding) then
    say.info(message)
  else
    say.warn(CHANGED)
  end
end

--- The diff in a float: y applies it, n does not.
local function preview(changes, encoding, message)
  local float
  local function accept()
    float.close()
    apply(changes, encoding, message)
  end
  float = floats.open(edits.diff(changes, encoding), {
    filetype = 'diff',
    title = 'apply? y / n',
    keys = { y = accept, ['<CR>'] = accept, n = function() float.close() end },
  })
end

local function fix(server, buf, argument)
  ask(server, buf, 'ghostfill.fix', argument, function(changes, message)
    preview(changes, wire.encoding(server), message)
  end)
end

local function document(server, buf, argument)
  ask(server, buf, 'ghostfill.document', argument, function(changes, message)
    apply(changes, wire.encoding(server), message)
  end)
end

---@return table|nil server
---@return ghostfill.Place
local function here()
  local place = offers.here()
  local server = client.of(place.buf)
  if not server then
    say.no_server()
  end
  return server, place
end

--- Shows how the lines, or the cursor's line, could be mended, or changed as the note says.
---@param lines ghostfill.Lines|nil
---@param note string|nil
function M.fix(lines, note)
  local server, place = here()
  if server then
    local argument = wire.target(server, place, lines, diagnostics.at(place, lines))
    argument.note = note
    fix(server, place.buf, argument)
  end
end

--- Writes the docstring of the function or class that the cursor, or the range, is in.
---@param lines ghostfill.Lines|nil
function M.document(lines)
  local server, place = here()
  if server then
    document(server, place.buf, wire.target(server, place, lines))
  end
end

--- The commands of code actions, which the editor runs instead of the server.
function M.on_fix(command, context)
  fix(vim.lsp.get_client_by_id(context.client_id), context.bufnr, command.arguments[1])
end
function M.on_document(command, context)
  document(vim.lsp.get_client_by_id(context.client_id), context.bufnr, command.arguments[1])
end

return M
