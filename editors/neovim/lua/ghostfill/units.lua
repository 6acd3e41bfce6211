--- Lengths of UTF-8 text in the units of LSP positions. Pure; knows no buffers and no protocol.
local M = {}

---@param byte integer first byte of a character, or one that continues it
---@param encoding 'utf-8'|'utf-16'|'utf-32'
local function weight(byte, encoding)
  if encoding == 'utf-8' then
    return 1
  elseif byte >= 0x80 and byte < 0xC0 then
    return 0
  end
  return encoding == 'utf-16' and byte >= 0xF0 and 2 or 1
end

--- How many units `text` has.
---@param text string
---@param encoding string
function M.count(text, encoding)
  local units = 0
  for i = 1, #text do
    units = units + weight(text:byte(i), encoding)
  end
  return units
end

--- How many bytes the first `units` units of `text` take; all of it if there are not so many.
---@param text string
---@param units integer
---@param encoding string
function M.bytes(text, units, encoding)
  for i = 1, #text do
    local step = weight(text:byte(i), encoding)
    if step > 0 and units <= 0 then
      return i - 1
    end
    units = units - step
  end
  return #text
end

return M
