--- Which lines a mapping of Visual mode means that calls us. Knows nothing of what is done with them.
local M = {}

local ESCAPE = '\27'

--- The selected lines, and the selection is over; nil in other modes, where the cursor's place is meant.
---@return ghostfill.Lines|nil
function M.take()
  if not vim.api.nvim_get_mode().mode:find('^[vV\22]') then
    return nil
  end
  local first, last = vim.fn.line('v'), vim.fn.line('.')
  vim.cmd('normal! ' .. ESCAPE)
  return { first = math.min(first, last) - 1, last = math.max(first, last) - 1 }
end

return M
