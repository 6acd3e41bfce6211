--- Whether a menu of completions is open: the built-in popup, or the windows of nvim-cmp and blink.cmp. Loads
--- neither of them.
local M = {}

--- Modules of other plugins, and what says that their menu is open, the best first.
local PLUGINS = { cmp = { 'visible' }, ['blink.cmp'] = { 'is_menu_visible', 'is_visible' } }

local is_listening = false

local function says_open(module, names)
  local plugin = package.loaded[module]
  for _, name in ipairs(type(plugin) == 'table' and names or {}) do
    if plugin[name] then
      return plugin[name]() == true
    end
  end
  return false
end

---@return boolean
function M.is_open()
  if vim.fn.pumvisible() == 1 then
    return true
  end
  for module, names in pairs(require('ghostfill.config').beside_menu() and {} or PLUGINS) do
    if says_open(module, names) then
      return true
    end
  end
  return false
end

--- nvim-cmp fires no autocommand; it is listened to once it is there.
---@param on_change fun() its menu may have been opened or closed
function M.listen_to_cmp(on_change)
  local event = not is_listening and type(package.loaded.cmp) == 'table' and package.loaded.cmp.event
  if event then
    is_listening = true
    event:on('menu_opened', on_change)
    event:on('menu_closed', on_change)
  end
end

return M
