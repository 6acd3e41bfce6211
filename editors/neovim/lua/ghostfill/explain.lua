--- `:GhostfillExplain`: what some code does, read while the model writes it. Knows what the server says, not
--- how it finds out.
local client = require('ghostfill.client')
local diagnostics = require('ghostfill.diagnostics')
local floats = require('ghostfill.float')
local markdown = require('ghostfill.markdown')
local offers = require('ghostfill.offer')
local say = require('ghostfill.say')
local status = require('ghostfill.status')
local wire = require('ghostfill.wire')

local M = {}

local STOPPED = 'Stopped: this is not all of it.'
local GONE = 'The server ended before it had answered. Try again.'

---@class ghostfill.Explanation
---@field float ghostfill.Float
---@field server table
---@field token string
---@field request integer|nil while it is written
---@field lines string[] what the server has said so far
---@field links table<integer, ghostfill.Link[]> by line of the float

local current ---@type ghostfill.Explanation|nil the newest
local count = 0

--- `gf` and <CR>: where the link at the cursor leads, in the window that asked.
local function follow_link(explanation, window)
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local link = markdown.nearest(explanation.links[row] or {}, column)
  if not link then
    return say.warn('this line has no link')
  end
  explanation.float.close()
  vim.api.nvim_set_current_win(window)
  vim.cmd("normal! m'")
  local buf = vim.uri_to_bufnr(link.uri)
  vim.bo[buf].buflisted = true
  vim.api.nvim_win_set_buf(window, buf)
  if link.line then
    local last = vim.api.nvim_buf_line_count(0)
    vim.api.nvim_win_set_cursor(0, { math.min(link.line, last), 0 })
  end
end

--- Shows what there is, with a last line on what goes on, or on why there is no more.
---@param ending string|nil
local function draw(explanation, ending)
  local lines = vim.list_extend({}, explanation.lines)
  if ending then
    vim.list_extend(lines, #lines > 0 and { '', ending } or { ending })
  end
  explanation.float.set(lines, explanation.request and ending or 'ghostfill')
end

--- What goes on while it is written.
local function state_of(explanation)
  return status.loading(explanation.server.id) or #explanation.lines == 0 and 'Reading ...' or 'Writing ...'
end

local function set_text(explanation, text)
  if text ~= '' then
    explanation.lines, explanation.links = markdown.read(text)
  end
end

--- Nothing more comes, and this is why.
---@param reason string
local function break_off(explanation, reason)
  explanation.request = nil
  draw(explanation, reason)
end

--- The server has answered.
local function on_answer(explanation, err, result)
  if not explanation.request then
    return -- it was stopped meanwhile
  elseif type(result) == 'table' then
    explanation.request = nil
    set_text(explanation, result.text)
    return draw(explanation)
  end
  local reason = not err and 'The server says nothing.' or say.SILENT[err.code] and STOPPED or err.message
  break_off(explanation, reason)
  if #explanation.lines == 0 then
    explanation.float.close()
    say.failure(err)
  end
end

local function cancel(explanation)
  if explanation.request then
    wire.cancel(explanation.server, explanation.request)
    explanation.request = nil
  end
end

--- <C-c>: ends the writing and leaves what is there; where nothing is written any more, closes it.
local function stop_or_close(explanation)
  if explanation.request then
    cancel(explanation)
    draw(explanation, STOPPED)
  else
    explanation.float.close()
  end
end

--- An empty float for what the server is about to say.
local function open(server)
  count = count + 1
  local window = vim.api.nvim_get_current_win()
  local token = ('nvim-%d-%d'):format(vim.fn.getpid(), count)
  local explanation = { server = server, token = token, lines = {}, links = {} }
  local follow = function() follow_link(explanation, window) end
  explanation.float = floats.open({}, {
    filetype = 'markdown',
    title = 'ghostfill',
    keys = { gf = follow, ['<CR>'] = follow, ['<C-c>'] = function() stop_or_close(explanation) end },
    on_close = function() cancel(explanation) end,
  })
  return explanation
end

---@param server table
---@param argument table as `ghostfill.explain` takes it
local function ask(server, argument, buf)
  local explanation = open(server)
  current = explanation
  argument = vim.tbl_extend('force', argument, { token = explanation.token, show = false })
  explanation.request = wire.run(server, 'ghostfill.explain', argument, buf, function(err, result)
    on_answer(explanation, err, result)
  end)
  if not explanation.request then
    return break_off(explanation, GONE)
  end
  draw(explanation, state_of(explanation))
end

--- The newest one, while it is written.
local function unfinished()
  return current and current.request and current or nil
end

--- Handler of the notification `ghostfill/didExplain`: the text so far.
function M.on_text(_, params)
  local explanation = unfinished()
  if explanation and params.token == explanation.token then
    set_text(explanation, params.text)
    draw(explanation, state_of(explanation))
  end
end

--- A model is loaded, or is there.
function M.on_progress()
  local explanation = unfinished()
  if explanation then
    draw(explanation, state_of(explanation))
  end
end

--- A server's process is over: it answers nothing any more.
---@param client_id integer
function M.on_exit(client_id)
  local explanation = unfinished()
  if explanation and explanation.server.id == client_id then
    break_off(explanation, GONE)
  end
end

--- Explains lines of the current buffer, or what the cursor is in.
---@param lines ghostfill.Lines|nil
function M.show(lines)
  local place = offers.here()
  local server = client.of(place.buf)
  if server then
    ask(server, wire.target(server, place, lines, diagnostics.at(place, lines)), place.buf)
  else
    say.no_server()
  end
end

--- The command `ghostfill.explain` of a code action, which the editor runs instead of the server.
function M.on_command(command, context)
  ask(vim.lsp.get_client_by_id(context.client_id), command.arguments[1], context.bufnr)
end

return M
