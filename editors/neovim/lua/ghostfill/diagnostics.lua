--- Tells a buffer's server what others find wrong there: LSP tells a server nothing of that.
local client = require('ghostfill.client')
local wire = require('ghostfill.wire')

local M = {}

local QUIET_MS = 300
local MAX_TOLD = 50

local newest = {} ---@type table<integer, integer> how often the diagnostics of a buffer have changed

--- What is found wrong in lines of a place's buffer, or in its own.
---@param place ghostfill.Place
---@param lines ghostfill.Lines|nil
---@return table[]
function M.at(place, lines)
  local first, last = lines and lines.first or place.row, lines and lines.last or place.row
  return vim.tbl_filter(function(each)
    return each.lnum <= last and (each.end_lnum or each.lnum) >= first
  end, vim.diagnostic.get(place.buf))
end

--- Those around the cursor, if there are too many.
local function nearest(buf)
  local found, window = vim.diagnostic.get(buf), vim.fn.bufwinid(buf)
  local row = window >= 0 and vim.api.nvim_win_get_cursor(window)[1] - 1 or 0
  table.sort(found, function(a, b) return math.abs(a.lnum - row) < math.abs(b.lnum - row) end)
  return vim.list_slice(found, 1, MAX_TOLD)
end

--- The diagnostics of a buffer have changed. They are told once they rest, unless the text has changed
--- meanwhile: whoever found them looks at it again.
---@param buf integer
function M.changed(buf)
  if not client.of(buf) then
    return
  end
  local change, tick = (newest[buf] or 0) + 1, vim.api.nvim_buf_get_changedtick(buf)
  newest[buf] = change
  vim.defer_fn(function()
    local server = newest[buf] == change and client.of(buf)
    if server and vim.api.nvim_buf_get_changedtick(buf) == tick then
      wire.diagnostics(server, buf, nearest(buf))
    end
  end, QUIET_MS)
end

--- A server has got buffers: what was found before is told now.
function M.on_ready()
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) and #vim.diagnostic.get(buf) > 0 then
      M.changed(buf)
    end
  end
end

return M
