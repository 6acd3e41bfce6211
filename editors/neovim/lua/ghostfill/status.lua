--- What each server last said about itself, in words for a statusline. Knows no buffers.
local M = {}

---@class ghostfill.Status
---@field kind 'Normal'|'Warning'|'Error'|'Inactive'
---@field busy boolean
---@field message string
---@field progress table<string, table> title, message and percentage by token
---@field said string|nil the error that was shown last

local states = {} ---@type table<integer, ghostfill.Status>

---@param client_id integer
local function state_of(client_id)
  states[client_id] = states[client_id] or { kind = 'Normal', busy = false, message = '', progress = {} }
  return states[client_id]
end

--- Shows an error once, until another one or a good state comes.
---@param client_id integer
---@param message string
function M.error_once(client_id, message)
  local state = state_of(client_id)
  if state.said ~= message then
    state.said = message
    vim.notify('ghostfill: ' .. message, vim.log.levels.ERROR)
  end
end

--- Handler of the notification `didChangeStatus`.
function M.on_change(_, params, context)
  local state = state_of(context.client_id)
  local was = state.message
  state.kind, state.busy, state.message = params.kind, params.busy == true, params.message or ''
  if state.kind == 'Error' and state.message ~= '' then
    M.error_once(context.client_id, state.message)
  elseif state.kind == 'Normal' then
    state.said = nil
    if state.message ~= was then
      vim.api.nvim_exec_autocmds('User', { pattern = 'GhostfillStatus', modeline = false })
    end
  end
  vim.cmd('redrawstatus')
end

--- Handler of `$/progress`; the editor's own one runs too, other plugins listen to it.
function M.on_progress(err, params, context, config)
  local value, progress = params.value, state_of(context.client_id).progress
  if type(value) == 'table' then
    if value.kind == 'end' then
      progress[params.token] = nil
    else
      progress[params.token] = vim.tbl_extend('force', progress[params.token] or {}, value)
    end
  end
  vim.cmd('redrawstatus')
  return vim.lsp.handlers['$/progress'](err, params, context, config)
end

local function progress_words(progress)
  local _, value = next(progress)
  if not value then
    return nil
  end
  local words = value.message or value.title or ''
  return value.percentage and ('%s %d%%'):format(words, value.percentage) or words
end

--- A few words: "", "loading 40%", "busy", "off", or the message of a warning or an error.
---@param client_id integer
function M.short(client_id)
  local state = state_of(client_id)
  local progress = progress_words(state.progress)
  if progress then
    return progress
  elseif state.kind ~= 'Normal' then
    return state.message ~= '' and state.message or state.kind:lower()
  end
  return state.busy and 'busy' or ''
end

---@param client_id integer
---@return ghostfill.Status a copy
function M.get(client_id)
  return vim.deepcopy(state_of(client_id))
end

---@param client_id integer
function M.forget(client_id)
  states[client_id] = nil
end

return M
