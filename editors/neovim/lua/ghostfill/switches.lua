--- `:GhostfillToggle` and `:GhostfillSnooze`. What is on is the server's to know: it is told, and its
--- answer is shown.
local client = require('ghostfill.client')
local session = require('ghostfill.session')
local wire = require('ghostfill.wire')

local M = {}

local function say(message, level)
  vim.notify('ghostfill: ' .. message, level)
end

local function run(command, argument)
  local buf = vim.api.nvim_get_current_buf()
  local server = client.of(buf)
  if not server then
    return say('no server runs for this buffer (:GhostfillStatus says why)', vim.log.levels.WARN)
  end
  wire.run(server, command, argument, buf, function(err, result)
    if err or type(result) ~= 'table' then
      return say(err and err.message or 'the server says nothing', vim.log.levels.WARN)
    end
    session.refresh()
    say(result.message, vim.log.levels.INFO)
  end)
end

--- Turns everything in this workspace, or one language, off or on; starts a server that was given up.
---@param language string|nil
function M.toggle(language)
  if not client.revive() then
    run('ghostfill.toggle', language and { language = language })
  end
end

--- Turns everything in this workspace off for a while; 0 ends it.
---@param minutes number|nil the server's default
function M.snooze(minutes)
  run('ghostfill.snooze', minutes and { minutes = minutes })
end

return M
