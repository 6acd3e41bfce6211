--- Ghost text from the ghostfill language server: what a user's configuration may call.
local M = {}

local function on(events, callback, pattern)
  vim.api.nvim_create_autocmd(events, { group = 'ghostfill', pattern = pattern, callback = callback })
end

local function watch()
  local client, session = require('ghostfill.client'), require('ghostfill.session')
  local diagnostics, ghost = require('ghostfill.diagnostics'), require('ghostfill.ghost')
  vim.api.nvim_create_augroup('ghostfill', { clear = true })
  local update = function() session.update() end
  on({ 'TextChangedI', 'CursorMovedI' }, update)
  -- The cursor and the mode are settled, and the popup menu is gone, only after these events.
  on({ 'InsertEnter', 'CompleteDone' }, vim.schedule_wrap(update))
  on('User', function()
    session.on_ready()
    diagnostics.on_ready()
  end, 'GhostfillReady')
  on('User', function() session.on_status() end, 'GhostfillStatus')
  on({ 'CompleteChanged', 'TextChangedP', 'InsertLeave', 'BufLeave' }, session.stop)
  on({ 'FileType', 'BufFilePost' }, function(event) client.attach(event.buf) end)
  on({ 'BufUnload' }, function(event) client.detach(event.buf) end)
  on('DiagnosticChanged', function(event) diagnostics.changed(event.buf) end)
  on('ColorScheme', ghost.define_highlights)
  on('BufEnter', function(event)
    local server = client.of(event.buf)
    if server then
      require('ghostfill.wire').focus(server, event.buf)
    end
  end)
  ghost.define_highlights()
end

--- Starts ghostfill. Options and defaults: `:help ghostfill-options`.
---@param opts table|nil
function M.setup(opts)
  require('ghostfill.config').set(opts)
  require('ghostfill.keys').set()
  watch()
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) then
      require('ghostfill.client').attach(buf)
    end
  end
end

--- A few words for a statusline about the current buffer's server; empty where ghostfill does not run.
---@return string
function M.status()
  local server = require('ghostfill.client').server_of(vim.api.nvim_get_current_buf())
  if not server then
    return ''
  elseif server.id then
    local words, label = require('ghostfill.status').short(server.id), require('ghostfill.session').label()
    return 'ghostfill' .. (label == '' and '' or ' ' .. label) .. (words == '' and '' or ': ' .. words)
  end
  return server.problem and 'ghostfill: not running' or 'ghostfill: starting'
end

--- `:GhostfillStatus`
function M.report()
  local server = require('ghostfill.client').server_of(vim.api.nvim_get_current_buf())
  if not require('ghostfill.config').is_set_up() then
    print("ghostfill: put require('ghostfill').setup() in your init.lua")
  elseif not server then
    print('ghostfill: not used in this buffer (see filetypes in :help ghostfill-options)')
  else
    local more = server.problem or server.id and require('ghostfill.status').get(server.id).message or ''
    print(('%s, workspace %s%s'):format(M.status(), server.root, more == '' and '' or ': ' .. more))
  end
end

--- `:GhostfillContext`
function M.explain() require('ghostfill.explain').show() end

--- `:GhostfillToggle`
---@param language string|nil
function M.toggle(language) require('ghostfill.switches').toggle(language) end

--- `:GhostfillSnooze`
---@param minutes number|nil
function M.snooze(minutes) require('ghostfill.switches').snooze(minutes) end

--- What keys do; where no ghost text is shown, only the last three do anything.
function M.accept() require('ghostfill.accept').all() end
function M.accept_word() require('ghostfill.accept').word() end
function M.accept_line() require('ghostfill.accept').line() end
function M.dismiss() require('ghostfill.session').dismiss() end
function M.trigger() require('ghostfill.session').trigger() end
function M.next() require('ghostfill.session').cycle(1) end
function M.previous() require('ghostfill.session').cycle(-1) end

---@return boolean
function M.is_visible()
  return require('ghostfill.session').visible() ~= nil
end

return M
