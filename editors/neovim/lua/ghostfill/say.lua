--- Sentences for the user.
local M = {}

-- RequestCancelled, ContentModified, ServerCancelled: nobody's mistake
M.SILENT = { [-32800] = true, [-32801] = true, [-32802] = true }

---@param sentence string
function M.info(sentence) vim.notify('ghostfill: ' .. sentence, vim.log.levels.INFO) end

---@param sentence string
function M.warn(sentence) vim.notify('ghostfill: ' .. sentence, vim.log.levels.WARN) end

function M.no_server() M.warn('no server runs for this buffer (:GhostfillStatus says why)') end

--- What a command of the user's was refused with; nothing if it was cancelled.
---@param err table|nil
function M.failure(err)
  if not err or not M.SILENT[err.code] then
    M.warn(err and err.message or 'the server says nothing')
  end
end

return M
