--- Finds the program to start, never inside the opened workspace: the active virtualenv, and with it the
--- first entry of PATH, may belong to a repository that was cloned a minute ago.
local M = {}

local windows = vim.fn.has('win32') == 1

local function is_absolute(path)
  return path:match(windows and '^%a:[/\\]' or '^/') ~= nil
end

local function is_inside(path, root)
  local real = vim.loop.fs_realpath(path) or path
  local real_root = vim.loop.fs_realpath(root) or root
  if windows then
    real, real_root = real:lower():gsub('\\', '/'), real_root:lower():gsub('\\', '/')
  end
  return real == real_root or vim.startswith(real, (real_root:gsub('/$', '')) .. '/')
end

---@param name string
---@param root string
---@return string|nil path
---@return string|nil refused a program of that name which was passed over
local function search(name, root)
  local refused
  for _, folder in ipairs(vim.split(vim.env.PATH or '', windows and ';' or ':', { plain = true })) do
    local path = vim.fn.exepath((folder == '' and '.' or folder) .. '/' .. name)
    if path ~= '' then
      if is_absolute(folder) and not is_inside(folder, root) and not is_inside(path, root) then
        return path
      end
      refused = refused or path
    end
  end
  return nil, refused
end

--- An absolute path is the user's own word and is taken as it is.
---@param name string first word of `command`
---@param root string the workspace
---@return string|nil path
---@return string|nil problem one sentence for the user
function M.find(name, root)
  local path = name:gsub('^~/', (vim.loop.os_homedir() or '~') .. '/')
  if is_absolute(path) then
    if vim.fn.executable(path) == 1 then
      return path
    end
    return nil, path .. ' is not an executable file'
  end
  if path:find('[/\\]') then
    return nil, ('command %q must be a bare name or an absolute path'):format(name)
  end
  local found, refused = search(path, root)
  if found then
    return found
  end
  local install = 'pipx install "ghostfill[local]"'
  if refused then
    return nil, ('%s was not started: it lies inside the workspace %s or in a relative entry of PATH. '
      .. 'Install it elsewhere (%s), or give its absolute path in setup()'):format(refused, root, install)
  end
  return nil, ('%q was not found on PATH. Install it with: %s'):format(name, install)
end

--- Where to run it: a folder that the workspace cannot fill.
function M.folder()
  local folder = vim.fn.stdpath('cache')
  vim.fn.mkdir(folder, 'p')
  return folder
end

return M
