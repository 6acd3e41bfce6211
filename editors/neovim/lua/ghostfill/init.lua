--- Ghost text from the ghostfill language server: what a user's configuration may call.
local M = {}

local config = require('ghostfill.config')

local function on(events, callback, pattern)
  vim.api.nvim_create_autocmd(events, { group = 'ghostfill', pattern = pattern, callback = callback })
end

--- What our own session has to see.
local function watch_typing()
  local session, menus = require('ghostfill.session'), require('ghostfill.menus')
  local update = function() session.update() end
  on({ 'TextChangedI', 'CursorMovedI' }, update)
  -- Cursor and mode are settled, the popup menu is gone, other plugins are loaded only after these events.
  on({ 'InsertEnter', 'CompleteDone' }, vim.schedule_wrap(function()
    menus.listen_to_cmp(update)
    update()
  end))
  on('User', update, 'BlinkCmpMenu*')
  on('User', function() session.on_ready() end, 'GhostfillReady')
  on('User', function() session.on_status() end, 'GhostfillStatus')
  on({ 'CompleteChanged', 'TextChangedP', 'InsertLeave', 'BufLeave' }, session.stop)
  on('ColorScheme', require('ghostfill.ghost').define_highlights)
  require('ghostfill.ghost').define_highlights()
end

local function watch_buffers()
  local client, diagnostics = require('ghostfill.client'), require('ghostfill.diagnostics')
  on({ 'FileType', 'BufFilePost' }, function(event) client.attach(event.buf) end)
  on({ 'BufUnload' }, function(event) client.detach(event.buf) end)
  on('User', diagnostics.on_ready, 'GhostfillReady')
  on('DiagnosticChanged', function(event) diagnostics.changed(event.buf) end)
  on('BufEnter', function(event)
    local server = client.of(event.buf)
    if server then
      require('ghostfill.wire').focus(server, event.buf)
    end
  end)
end

--- Starts ghostfill. Options and defaults: `:help ghostfill-options`.
---@param opts table|nil
function M.setup(opts)
  config.set(opts)
  require('ghostfill.keys').set()
  vim.api.nvim_create_augroup('ghostfill', { clear = true })
  if config.native() then
    on('LspAttach', require('ghostfill.native').on_attach)
  else
    watch_typing()
  end
  watch_buffers()
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buf) then
      require('ghostfill.client').attach(buf)
    end
  end
end

--- A few words for a statusline about the current buffer's server; empty where ghostfill does not run.
---@return string words such as "ghostfill: loading 40%"
---@return string|nil state see `:help ghostfill-status`
function M.status()
  local server = require('ghostfill.client').server_of(vim.api.nvim_get_current_buf())
  if not server then
    return '', nil
  end
  local status = require('ghostfill.status')
  local state, percent = status.state(server.id, server.problem)
  local label = require('ghostfill.session').label()
  return 'ghostfill' .. (label == '' and '' or ' ' .. label) .. status.words(state, percent), state
end

--- `:GhostfillStatus`
function M.report()
  local server = require('ghostfill.client').server_of(vim.api.nvim_get_current_buf())
  if not config.is_set_up() then
    print("ghostfill: put require('ghostfill').setup() in your init.lua")
  elseif not server then
    print('ghostfill: not used in this buffer (see filetypes in :help ghostfill-options)')
  else
    local more = server.problem or server.id and require('ghostfill.status').get(server.id).message or ''
    print(('%s, workspace %s%s'):format(M.status(), server.root, more == '' and '' or ': ' .. more))
  end
end

--- `:GhostfillContext`
function M.context() require('ghostfill.context').show() end

local function selected() return require('ghostfill.selection').take() end

--- `:GhostfillExplain`, `:GhostfillFix`, `:GhostfillDocument`, each for lines of the current buffer, else for
--- what is selected, else for the place of the cursor.
---@param lines ghostfill.Lines|nil
---@param note string|nil
function M.explain(lines) require('ghostfill.explain').show(lines or selected()) end
function M.fix(lines, note) require('ghostfill.actions').fix(lines or selected(), note) end
function M.document(lines) require('ghostfill.actions').document(lines or selected()) end

--- `:GhostfillCancel`
function M.cancel()
  if not require('ghostfill.actions').cancel() then
    require('ghostfill.say').info('no fix and no docstring is being made')
  end
end

--- `:GhostfillToggle`
---@param language string|nil
function M.toggle(language) require('ghostfill.switches').toggle(language) end

--- `:GhostfillSnooze`
---@param minutes number|nil
function M.snooze(minutes) require('ghostfill.switches').snooze(minutes) end

--- `:GhostfillRestart`
function M.restart() require('ghostfill.switches').restart() end

--- Who shows ghost text, and who accepts it.
local function shower() return require(config.native() and 'ghostfill.native' or 'ghostfill.session') end
local function acceptor() return require(config.native() and 'ghostfill.native' or 'ghostfill.accept') end

--- What keys do; where no ghost text is shown, only the last three do anything.
function M.accept() acceptor().all() end
function M.accept_word() acceptor().word() end
function M.accept_line() acceptor().line() end
function M.dismiss() shower().dismiss() end
function M.trigger() shower().trigger() end
function M.next() shower().cycle(1) end
function M.previous() shower().cycle(-1) end

---@return boolean
function M.is_visible()
  return shower().visible() ~= nil
end

return M
