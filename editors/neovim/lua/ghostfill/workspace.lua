--- Which folder is the workspace of a file. Knows no servers.
local M = {}

local MARKERS = { '.git', 'pyproject.toml', 'package.json' }

local function is_marked(folder)
  for _, marker in ipairs(MARKERS) do
    if vim.loop.fs_stat(folder .. '/' .. marker) then
      return true
    end
  end
  return false
end

--- The nearest folder upwards with a marker, else the file's own; nil if the buffer shows no file. The home
--- folder is never found by its marker: a repository of dot files is not a project.
---@param buf integer
---@return string|nil
function M.root_of(buf)
  local name = vim.api.nvim_buf_get_name(buf)
  if name == '' or name:find('^%a[%w+.-]+://') or vim.bo[buf].buftype ~= '' then
    return nil
  end
  local folder = vim.fn.fnamemodify(name, ':p:h')
  local home, below, at = vim.loop.os_homedir(), nil, folder
  while at ~= home and at ~= below do
    if is_marked(at) then
      return at
    end
    at, below = vim.fn.fnamemodify(at, ':h'), at
  end
  return folder
end

return M
