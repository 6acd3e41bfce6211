--- A window over the text, at the cursor, for something to read that may still grow: scrolled like any other,
--- closed by q or <Esc>. Knows nothing of what is in it.
local M = {}

local MIN_WIDTH, MAX_WIDTH = 30, 88

---@class ghostfill.Float
---@field buf integer
---@field window integer
---@field set fun(lines: string[], title: string|nil)
---@field close fun()
---@field is_open fun(): boolean

--- Rows that the lines take once they are wrapped.
local function rows_of(lines, width)
  local rows = 0
  for _, line in ipairs(lines) do
    rows = rows + math.max(1, math.ceil(vim.fn.strdisplaywidth(line) / width))
  end
  return rows
end

local function width_of(lines)
  local width = MIN_WIDTH
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  return math.min(width, MAX_WIDTH, vim.o.columns - 4)
end

--- Where it fits at the cursor of the current window: in the larger half of the screen, the line stays seen.
---@return table config
---@return integer room rows
local function place_at_cursor()
  local cursor, row = vim.api.nvim_win_get_cursor(0), vim.fn.win_screenpos(0)[1] + vim.fn.winline() - 1
  local rows = vim.o.lines - vim.o.cmdheight
  local is_below = row <= rows / 2
  return {
    relative = 'win',
    win = vim.api.nvim_get_current_win(),
    bufpos = { cursor[1] - 1, cursor[2] },
    anchor = is_below and 'NW' or 'SW',
    row = is_below and 1 or 0,
    col = 0,
  }, math.max(3, (is_below and rows - row or row - 1) - 3)
end

--- Without what is set up for files of the type: Neovim 0.12 itself fails there if a parser is not installed.
local function buffer_for(filetype)
  local buf = vim.api.nvim_create_buf(false, true)
  vim.bo[buf].bufhidden = 'wipe'
  vim.api.nvim_buf_call(buf, function() vim.cmd('noautocmd setlocal filetype=' .. filetype) end)
  vim.bo[buf].syntax = filetype
  if vim.treesitter.start then
    pcall(vim.treesitter.start, buf, filetype)
  end
  return buf
end

local function open_window(buf, config)
  local window = vim.api.nvim_open_win(buf, true, config)
  local options = { wrap = true, linebreak = true, conceallevel = 2, concealcursor = 'n', spell = false }
  for name, value in pairs(options) do
    vim.api.nvim_win_set_option(window, name, value)
  end
  return window
end

--- Writes only lines that differ: the reader's place, and what is drawn of the others, stays.
local function replace(buf, new)
  local old = vim.api.nvim_buf_get_lines(buf, 0, -1, true)
  local num_same = 0
  while num_same < math.min(#old, #new) and old[num_same + 1] == new[num_same + 1] do
    num_same = num_same + 1
  end
  vim.bo[buf].modifiable = true
  vim.api.nvim_buf_set_lines(buf, num_same, -1, true, vim.list_slice(new, num_same + 1))
  vim.bo[buf].modifiable = false
end

--- Whether the reader has gone to the end of a text that may have one more line soon.
local function is_at_end(float)
  local row = vim.api.nvim_win_get_cursor(float.window)[1]
  return row > 1 and row == vim.api.nvim_buf_line_count(float.buf)
end

--- Opens it with the cursor in it.
---@param lines string[]
---@param opts table filetype, title, keys (key to function), on_close (called once, however it closes)
---@return ghostfill.Float
function M.open(lines, opts)
  local place, room = place_at_cursor()
  local float = { buf = buffer_for(opts.filetype) }
  local style = { style = 'minimal', border = 'rounded', width = MIN_WIDTH, height = 1 }
  if vim.fn.has('nvim-0.9') == 1 then
    style.title = ' ' .. opts.title .. ' '
  end
  float.window = open_window(float.buf, vim.tbl_extend('error', place, style))

  function float.is_open() return vim.api.nvim_win_is_valid(float.window) end

  function float.close()
    if float.is_open() then
      vim.api.nvim_win_close(float.window, true)
    end
  end

  local width = MIN_WIDTH
  function float.set(new, title)
    if not float.is_open() then
      return
    end
    local follows = is_at_end(float)
    replace(float.buf, new)
    width = math.max(width, width_of(new)) -- text that grows must not make it jump
    local size = { width = width, height = math.max(1, math.min(rows_of(new, width), room)) }
    if title and style.title then
      size.title, size.border = ' ' .. title .. ' ', style.border
    end
    vim.api.nvim_win_set_config(float.window, vim.tbl_extend('error', place, size))
    if follows then
      vim.api.nvim_win_set_cursor(float.window, { #new, 0 })
    end
  end

  local keys = vim.tbl_extend('keep', opts.keys or {}, { q = float.close, ['<Esc>'] = float.close })
  for lhs, act in pairs(keys) do
    vim.keymap.set('n', lhs, act, { buffer = float.buf, nowait = true, silent = true })
  end
  local on_close = opts.on_close or function() end
  vim.api.nvim_create_autocmd('BufWipeout', { buffer = float.buf, once = true, callback = on_close })
  float.set(lines)
  return float
end

return M
