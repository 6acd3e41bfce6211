--- `:GhostfillFix` and `:GhostfillDocument`: an edit that the server makes. A fix is looked at first.
local client = require('ghostfill.client')
local edits = require('ghostfill.edits')
local floats = require('ghostfill.float')
local offers = require('ghostfill.offer')
local say = require('ghostfill.say')
local wire = require('ghostfill.wire')

local M = {}

local CHANGED = 'the text has changed meanwhile; nothing was done'

local pending ---@type fun()|nil ends the request under way

--- Diagnostics that touch the lines, or the cursor's line.
---@param lines ghostfill.Lines|nil
local function diagnostics_in(place, lines)
  local first, last = lines and lines.first or place.row, lines and lines.last or place.row
  return vim.tbl_filter(function(each)
    return each.lnum <= last and (each.end_lnum or each.lnum) >= first
  end, vim.diagnostic.get(place.buf))
end

--- Asks for an edit to the text as it stands; `on_changes` gets it if there is one and the text still stands.
local function ask(server, place, command, argument, on_changes)
  if pending then
    pending()
  end
  local id
  local function finish(err, result)
    pending = nil
    vim.api.nvim_echo({ { '' } }, false, {})
    if err or type(result) ~= 'table' then
      return say.failure(err)
    elseif type(result.edit) ~= 'table' then
      return say.info(result.message)
    elseif vim.api.nvim_buf_get_changedtick(place.buf) ~= place.tick then
      return say.warn(CHANGED)
    end
    local changes = edits.changes(result.edit)
    if changes then
      on_changes(changes, result.message)
    else
      say.warn('the edit does more than change texts; nothing was done')
    end
  end
  vim.api.nvim_echo({ { 'ghostfill: asking the model ...' } }, false, {})
  id = wire.run(server, command, argument, place.buf, finish)
  pending = id and function() wire.cancel(server, id) end
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

--- Shows how the lines, or the cursor's line, could be mended.
---@param lines ghostfill.Lines|nil
function M.fix(lines)
  local server, place = here()
  if server then
    local argument = wire.fix_argument(server, place, lines, diagnostics_in(place, lines))
    ask(server, place, 'ghostfill.fix', argument, function(changes, message)
      preview(changes, wire.encoding(server), message)
    end)
  end
end

--- Writes the docstring of the function or class that the cursor, or the range, is in.
---@param lines ghostfill.Lines|nil
function M.document(lines)
  local server, place = here()
  if server then
    local argument = wire.target(server, place, lines)
    argument.apply = false -- applied here, and only to the text that it was made for
    ask(server, place, 'ghostfill.document', argument, function(changes, message)
      apply(changes, wire.encoding(server), message)
    end)
  end
end

return M
