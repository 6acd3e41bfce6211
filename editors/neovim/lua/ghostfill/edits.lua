--- A WorkspaceEdit that changes texts: looked at as a diff, then applied to the texts it was made for, or not
--- at all. Knows no server.
local M = {}

---@class ghostfill.Change
---@field buf integer
---@field tick integer
---@field uri string
---@field edits table[] LSP text edits

--- Annotations are left out: what is confirmed here is not to be confirmed twice.
local function plain(edits)
  return vim.tbl_map(function(edit) return { range = edit.range, newText = edit.newText } end, edits)
end

local function change(uri, edits)
  local buf = vim.uri_to_bufnr(uri)
  vim.fn.bufload(buf)
  return { buf = buf, tick = vim.api.nvim_buf_get_changedtick(buf), uri = uri, edits = plain(edits) }
end

--- What changes in which text as it stands now; nil if it would do more than that.
---@param edit table
---@return ghostfill.Change[]|nil
function M.changes(edit)
  local changes = {}
  for _, each in ipairs(edit.documentChanges or {}) do
    if each.kind then
      return nil
    end
    changes[#changes + 1] = change(each.textDocument.uri, each.edits)
  end
  for uri, edits in pairs(not edit.documentChanges and edit.changes or {}) do
    changes[#changes + 1] = change(uri, edits)
  end
  return changes
end

--- Both texts with a line end behind each line.
local function before_and_after(each, encoding)
  local lines = vim.api.nvim_buf_get_lines(each.buf, 0, -1, false)
  local copy = vim.api.nvim_create_buf(false, true)
  vim.api.nvim_buf_set_lines(copy, 0, -1, true, lines)
  vim.lsp.util.apply_text_edits(vim.deepcopy(each.edits), copy, encoding)
  local edited = vim.api.nvim_buf_get_lines(copy, 0, -1, false)
  vim.api.nvim_buf_delete(copy, { force = true })
  return table.concat(lines, '\n') .. '\n', table.concat(edited, '\n') .. '\n'
end

--- The unified diff.
---@param changes ghostfill.Change[]
---@param encoding string
---@return string[]
function M.diff(changes, encoding)
  local unified = vim.text and vim.text.diff or vim.diff
  local lines = {}
  for _, each in ipairs(changes) do
    local path = vim.fn.fnamemodify(vim.uri_to_fname(each.uri), ':~:.')
    vim.list_extend(lines, { '--- ' .. path, '+++ ' .. path })
    local before, after = before_and_after(each, encoding)
    local hunks = unified(before, after, { ctxlen = 3 })
    vim.list_extend(lines, vim.split(hunks:gsub('\n$', ''), '\n', { plain = true }))
  end
  return lines
end

--- Changes the texts, each in one undo step; false, and nothing is done, if one is not what it was.
---@param changes ghostfill.Change[]
---@param encoding string
---@return boolean
function M.apply(changes, encoding)
  local by_uri = {}
  for _, each in ipairs(changes) do
    if not vim.api.nvim_buf_is_valid(each.buf) or vim.api.nvim_buf_get_changedtick(each.buf) ~= each.tick then
      return false
    end
    by_uri[each.uri] = each.edits
  end
  vim.lsp.util.apply_workspace_edit({ changes = by_uri }, encoding)
  return true
end

return M
