--- Insert-mode keys that act on ghost text while it is shown and mean what they meant before otherwise.
local config = require('ghostfill.config')

local M = {}

local taken = {} ---@type table<string, string> action -> key

--- `<C-g>u` before and after: an acceptance is an undo step of its own.
local rhs = {
  accept = '<C-g>u<Cmd>lua require("ghostfill").accept()<CR><C-g>u',
  accept_word = '<C-g>u<Cmd>lua require("ghostfill").accept_word()<CR><C-g>u',
  accept_line = '<C-g>u<Cmd>lua require("ghostfill").accept_line()<CR><C-g>u',
  dismiss = '<Cmd>lua require("ghostfill").dismiss()<CR>',
  trigger = '<Cmd>lua require("ghostfill").trigger()<CR>',
  next = '<Cmd>lua require("ghostfill").next()<CR>',
  previous = '<Cmd>lua require("ghostfill").previous()<CR>',
}

--- These ask, so they act without ghost text too; the editor's own inline completion cannot be asked.
local asking = { trigger = true, next = true, previous = true }

local function raw(lhs)
  return vim.api.nvim_replace_termcodes(lhs, true, true, true)
end

local function existing(lhs)
  for _, map in ipairs(vim.api.nvim_get_keymap('i')) do
    if raw(map.lhs) == raw(lhs) then
      return map
    end
  end
end

--- Installs under `new_lhs` what `lhs` does now.
local function copy_mapping(lhs, new_lhs)
  local map = existing(lhs)
  if not map then
    vim.api.nvim_set_keymap('i', new_lhs, lhs, { noremap = true })
    return
  end
  local opts = {
    noremap = map.noremap == 1,
    expr = map.expr == 1,
    silent = map.silent == 1,
    callback = map.callback,
  }
  if map.replace_keycodes == 1 then
    opts.replace_keycodes = true -- Neovim 0.8+
  end
  local text = (map.rhs or ''):gsub('<SID>', ('<SNR>%d_'):format(map.sid or 0))
  vim.api.nvim_set_keymap('i', new_lhs, text, opts)
end

local function acts(action)
  return asking[action] and not config.native() or require('ghostfill').is_visible()
end

--- What the key meant before is fed, not returned: menus that call our mapping when theirs is closed do not
--- map again what it returns.
local function map(action, lhs)
  local original = ('<Plug>(ghostfill-original-%s)'):format(action)
  copy_mapping(lhs, original)
  vim.keymap.set('i', lhs, function()
    if acts(action) then
      return rhs[action]
    end
    vim.api.nvim_feedkeys(raw(original), 'im', false)
    return ''
  end, { expr = true, silent = true, desc = 'ghostfill: ' .. action:gsub('_', ' ') })
  taken[action] = lhs
end

--- Gives a key back to what it was before `map`.
local function unmap(action, lhs)
  local original = ('<Plug>(ghostfill-original-%s)'):format(action)
  vim.keymap.del('i', lhs)
  copy_mapping(original, lhs)
  vim.keymap.del('i', original)
  taken[action] = nil
end

--- Maps the configured keys; called again, it first undoes what it did.
function M.set()
  for action, lhs in pairs(vim.deepcopy(taken)) do
    unmap(action, lhs)
  end
  for action, lhs in pairs(config.get().keys) do
    if lhs then
      map(action, lhs)
    end
  end
end

return M
