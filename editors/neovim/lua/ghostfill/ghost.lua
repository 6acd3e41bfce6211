--- Draws an offer: the new text in GhostfillGhost, what stands after the cursor in its new place. Knows no
--- server. Neovim before 0.10 has no inline virtual text: there the rest of the line is drawn again, shifted,
--- over the line.
local previews = require('ghostfill.preview')

local M = {}

local namespace = vim.api.nvim_create_namespace('ghostfill')
local has_inline = vim.fn.has('nvim-0.10') == 1

---@return integer width columns for text in the window
---@return integer room columns from a column of the cursor's line to the window's edge
local function space(column)
  local window = vim.fn.getwininfo(vim.api.nvim_get_current_win())[1]
  local width = window.width - window.textoff
  return width, vim.wo.wrap and width - column % width or width - column + vim.fn.winsaveview().leftcol
end

--- The cursor's line keeps its background: what is drawn over it hides it otherwise.
local function on_cursor_line(line)
  for _, chunk in ipairs(vim.wo.cursorline and line or {}) do
    chunk[2] = { chunk[2], 'CursorLine' }
  end
  return line
end

--- For the line under the cursor when other text follows there.
---@param preview ghostfill.Preview
local function over_text(preview, room)
  if preview.added and has_inline and #preview.lines == 1 then
    return { { preview.added, 'GhostfillGhost' } }, 'inline'
  elseif math.max(preview.finish, preview.old_finish) - preview.start > room then
    return { { preview.lines[1][1][1], 'GhostfillGhost' } }, 'eol' -- shifted text would leave the window
  end
  local blanks = (' '):rep(preview.old_finish - preview.finish)
  local first = vim.list_extend({}, preview.lines[1])
  first[#first + 1] = { blanks, 'GhostfillRest' }
  return on_cursor_line(first), 'overlay'
end

---@param offer ghostfill.Offer
function M.show(offer)
  local place, preview = offer.place, previews.of(offer)
  local width, room = space(preview.start)
  local first, position, below = preview.lines[1], 'overlay', {}
  if place.after ~= '' then
    first, position = over_text(preview, room)
  elseif vim.wo.wrap then
    below = previews.wrap(first, room, width)
    first = table.remove(below, 1)
  end
  for i = 2, #preview.lines do
    local line = preview.lines[i]
    vim.list_extend(below, vim.wo.wrap and previews.wrap(line, width, width) or { line })
  end
  M.hide(place.buf)
  vim.api.nvim_buf_set_extmark(place.buf, namespace, place.row, place.col, {
    virt_text = first,
    virt_text_pos = position,
    virt_lines = #below > 0 and below or nil,
    hl_mode = place.after == '' and 'combine' or 'replace',
  })
end

---@param buf integer
function M.hide(buf)
  if vim.api.nvim_buf_is_valid(buf) then
    vim.api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  end
end

--- Links that a colour scheme or the user may override; to be called again after `:colorscheme`.
function M.define_highlights()
  vim.cmd('highlight default link GhostfillGhost Comment')
  vim.cmd('highlight default link GhostfillRest Normal')
end

return M
