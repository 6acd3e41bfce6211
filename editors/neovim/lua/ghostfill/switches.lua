--- `:GhostfillToggle`, `:GhostfillSnooze` and `:GhostfillRestart`. What is on is the server's to know: it is
--- told, and its answer is shown.
local client = require('ghostfill.client')
local config = require('ghostfill.config')
local say = require('ghostfill.say')
local session = require('ghostfill.session')
local wire = require('ghostfill.wire')

local M = {}

---@param on_answer fun(result: any)
local function run(command, argument, on_answer)
  local buf = vim.api.nvim_get_current_buf()
  local server = client.of(buf)
  if not server then
    return say.no_server()
  end
  wire.run(server, command, argument, buf, function(err, result)
    if err then
      return say.failure(err)
    end
    on_answer(result)
  end)
end

local function on_switched(result)
  if not config.native() then
    session.refresh()
  end
  say.info(result.message)
end

--- Turns everything in this workspace, or one language, off or on; starts a server that was given up.
---@param language string|nil
function M.toggle(language)
  if not client.revive() then
    run('ghostfill.toggle', language and { language = language }, on_switched)
  end
end

--- Turns everything in this workspace off for a while; 0 ends it.
---@param minutes number|nil the server's default
function M.snooze(minutes)
  run('ghostfill.snooze', minutes and { minutes = minutes }, on_switched)
end

--- Tries the engine again at once, or starts a server that was given up.
function M.restart()
  if not client.revive() then
    run('ghostfill.restartEngine', nil, function() say.info('the engine is tried again') end)
  end
end

return M
