--- What each server last said about itself, in words for a statusline. Knows no buffers.
local M = {}

---@class ghostfill.Status
---@field kind 'Starting'|'Normal'|'Warning'|'Error'|'Inactive' Starting until the server has said something
---@field busy boolean
---@field message string
---@field progress table<string, table> title, message and percentage by token
---@field said string|nil the error that was shown last

local states = {} ---@type table<integer, ghostfill.Status>

---@param client_id integer
local function state_of(client_id)
  states[client_id] = states[client_id] or { kind = 'Starting', busy = false, message = '', progress = {} }
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

--- Which model is loaded, and how much of it: "loading builtin 40 %"; nil while none is.
---@param client_id integer
---@return string|nil
function M.loading(client_id)
  local _, progress = next(state_of(client_id).progress)
  return progress and ('%s %d %%'):format(progress.message or progress.title, progress.percentage or 0)
end

--- What the server does, in one of the words of `:help ghostfill-status`, and how much of the load is done.
---@param client_id integer|nil nil while no process runs
---@param problem string|nil why none runs
---@return string state
---@return integer|nil percent
function M.state(client_id, problem)
  if not client_id then
    return problem and 'stopped' or 'starting'
  end
  local state = state_of(client_id)
  local _, progress = next(state.progress)
  if progress then
    return 'loading', progress.percentage
  elseif state.kind == 'Inactive' then
    return state.message:find('snoozed', 1, true) and 'snoozed' or 'off'
  elseif state.kind ~= 'Normal' then
    return state.kind:lower()
  end
  return state.busy and 'busy' or 'ready'
end

local WORDS = { ready = '', off = ': off here', stopped = ': not running' }

--- How a state is written behind the name.
---@param state string
---@param percent integer|nil
function M.words(state, percent)
  return WORDS[state] or percent and (': %s %d%%'):format(state, percent) or ': ' .. state
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
