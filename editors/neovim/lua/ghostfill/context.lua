--- `:GhostfillContext`: what the next completion would send, as text in a split. Knows the server's report,
--- not how it is made.
local client = require('ghostfill.client')
local offers = require('ghostfill.offer')
local say = require('ghostfill.say')
local wire = require('ghostfill.wire')

local M = {}

local NAME = 'ghostfill://context'

--- Text from files may hold line ends and NUL, which a line of a buffer cannot.
local function one_line(text)
  return (text:gsub('[%z\r\n]', ' '))
end

--- Cells padded to columns; a number stands right.
---@param rows table[] of cells
---@return string[]
local function aligned(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, vim.fn.strdisplaywidth(tostring(cell)))
    end
  end
  return vim.tbl_map(function(row)
    local cells = {}
    for i, cell in ipairs(row) do
      local blanks = (' '):rep(widths[i] - vim.fn.strdisplaywidth(tostring(cell)))
      cells[i] = type(cell) == 'number' and blanks .. cell or cell .. blanks
    end
    return (table.concat(cells, '  '):gsub('%s+$', ''))
  end, rows)
end

--- The pieces of the prompt in order, those that were not sent last.
local function pieces(report)
  local all = vim.list_extend(vim.list_extend({}, report.segments), report.around)
  table.sort(all, function(a, b)
    return (tonumber(a.start) or math.huge) < (tonumber(b.start) or math.huge)
  end)
  return all
end

local function is_sent(piece)
  return tonumber(piece.start) ~= nil
end

---@return string[]
local function table_of(report)
  local rows = { { 'tokens', 'cached', 'part', 'kind', 'file', 'reason' } }
  for _, piece in ipairs(pieces(report)) do
    local cached = is_sent(piece) and piece.cached or 'not sent'
    local path, reason = one_line(piece.path), one_line(piece.reason)
    rows[#rows + 1] = { piece.num_tokens, cached, piece.section, piece.kind, path, reason }
  end
  for _, file in ipairs(report.left_out) do
    local path, reason = one_line(file.path), one_line(file.reason)
    rows[#rows + 1] = { file.num_tokens, '', 'left out', '', path, reason }
  end
  return aligned(rows)
end

---@return string[] lines
---@return table[] folds first and last line of each
local function lines_of(uri, report)
  local cached = tonumber(report.cached_tokens) or 'unknown'
  local lines = {
    uri,
    '',
    ('%s:%d:%d'):format(one_line(report.file), report.line, report.column),
    ('prompt %d tokens of %d with the answer, %d of other files, %s cached'):format(
      report.prompt_tokens, report.limit_tokens, report.num_tokens, cached),
  }
  vim.list_extend(lines, vim.tbl_map(one_line, report.notes))
  lines[#lines + 1] = ''
  vim.list_extend(lines, table_of(report))
  lines[#lines + 1] = ''
  local folds = {}
  for _, piece in ipairs(pieces(report)) do
    local first = #lines + 1
    lines[first] = ('%s (%s, %d tokens)'):format(one_line(piece.path), piece.section, piece.num_tokens)
    for _, line in ipairs(vim.split(piece.text:gsub('\n$', ''), '\n', { plain = true })) do
      lines[#lines + 1] = one_line(line)
    end
    folds[#folds + 1] = { first, #lines }
  end
  return lines, folds
end

--- Shows lines in the split of the last time, or in a new one.
local function open_split(lines, folds)
  local buf = vim.fn.bufnr('^' .. vim.fn.escape(NAME, '^$.*[]\\') .. '$')
  local window = buf >= 0 and vim.fn.bufwinid(buf) or -1
  if window >= 0 then
    vim.api.nvim_set_current_win(window)
  else
    vim.cmd('botright new')
    buf = vim.api.nvim_get_current_buf()
    vim.bo[buf].buftype, vim.bo[buf].bufhidden, vim.bo[buf].swapfile = 'nofile', 'wipe', false
    vim.api.nvim_buf_set_name(buf, NAME)
    vim.wo.foldmethod, vim.wo.wrap, vim.wo.foldenable = 'manual', false, true
  end
  vim.bo[buf].modifiable = true
  vim.cmd('normal! zE')
  vim.api.nvim_buf_set_lines(buf, 0, -1, true, lines)
  for _, fold in ipairs(folds) do
    vim.cmd(('%d,%dfold'):format(fold[1], fold[2]))
  end
  vim.bo[buf].modifiable, vim.bo[buf].modified = false, false
  vim.api.nvim_win_set_cursor(0, { 1, 0 })
end

--- Asks the server about the cursor's place and shows what it says.
function M.show()
  local place = offers.here()
  local server = client.of(place.buf)
  if not server then
    return say.no_server()
  end
  wire.context(server, place, function(err, result)
    if err or type(result) ~= 'table' then
      return say.failure(err)
    end
    open_split(lines_of(result.uri, result.report))
  end)
end

return M
