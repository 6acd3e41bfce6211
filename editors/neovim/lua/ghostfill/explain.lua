--- `:GhostfillExplain`: what some code does, read while the model writes it. Knows what the server says, not
--- how it finds out.
local client = require('ghostfill.client')
local floats = require('ghostfill.float')
local markdown = require('ghostfill.markdown')
local offers = require('ghostfill.offer')
local say = require('ghostfill.say')
local wire = require('ghostfill.wire')

local M = {}

---@class ghostfill.Explanation
---@field float ghostfill.Float
---@field token string
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

local function show_text(explanation, text)
  local lines
  lines, explanation.links = markdown.read(text)
  explanation.float.set(lines)
end

---@param server table
---@param argument table as `ghostfill.explain` takes it
local function ask(server, argument, buf)
  count = count + 1
  local window, request = vim.api.nvim_get_current_win(), nil
  local explanation = { token = ('nvim-%d-%d'):format(vim.fn.getpid(), count), links = {} }
  local follow = function() follow_link(explanation, window) end
  explanation.float = floats.open({ 'Reading ...' }, {
    filetype = 'markdown',
    title = 'ghostfill',
    keys = { gf = follow, ['<CR>'] = follow },
    on_close = function()
      if request then
        wire.cancel(server, request)
      end
    end,
  })
  current = explanation
  argument = vim.tbl_extend('force', argument, { token = explanation.token, show = false })
  request = wire.run(server, 'ghostfill.explain', argument, buf, function(err, result)
    request = nil
    if err then
      explanation.float.close()
      return say.failure(err)
    end
    show_text(explanation, result.text)
  end)
end

--- Handler of the notification `ghostfill/didExplain`: the text so far.
function M.on_text(_, params)
  if current and params.token == current.token and params.text ~= '' then
    show_text(current, params.text)
  end
end

--- Explains lines of the current buffer, or what the cursor is in.
---@param lines ghostfill.Lines|nil
function M.show(lines)
  local place = offers.here()
  local server = client.of(place.buf)
  if server then
    ask(server, wire.target(server, place, lines), place.buf)
  else
    say.no_server()
  end
end

--- The command `ghostfill.explain` of a code action, which the editor runs instead of the server.
function M.on_command(command, context)
  ask(vim.lsp.get_client_by_id(context.client_id), command.arguments[1], context.bufnr)
end

return M
