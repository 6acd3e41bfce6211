--- One completion at one place of one buffer: what of it is still to be typed. Values only; knows neither the
--- screen nor the server, and reads no buffer except in `here`.
local units = require('ghostfill.units')

local M = {}

local CHARACTER = '[%z\1-\127\194-\244][\128-\191]*'

---@class ghostfill.Place
---@field buf integer
---@field tick integer changedtick of the buffer
---@field row integer from 0
---@field col integer bytes from 0
---@field before string the line up to the cursor
---@field after string the line from the cursor on

---@class ghostfill.Offer
---@field item table the server's item, untouched
---@field place ghostfill.Place the cursor that `text` belongs to
---@field text string what is still to be inserted at the cursor
---@field tail integer bytes after the cursor that a full acceptance replaces
---@field taken string the part of the item that stands in the buffer already
---@field is_chosen boolean|nil by key, instead of the first one

--- What editors put behind the cursor by themselves when the opening one is typed.
local AUTO_CLOSED = '^[%)%]}>"\'`]*$'
local MAX_AUTO_CLOSED = 4

---@return ghostfill.Place
function M.here()
  local cursor, line = vim.api.nvim_win_get_cursor(0), vim.api.nvim_get_current_line()
  local buf = vim.api.nvim_get_current_buf()
  return {
    buf = buf,
    tick = vim.api.nvim_buf_get_changedtick(buf),
    row = cursor[1] - 1,
    col = cursor[2],
    before = line:sub(1, cursor[2]),
    after = line:sub(cursor[2] + 1),
  }
end

---@param a ghostfill.Place
---@param b ghostfill.Place
function M.same_place(a, b)
  return a.buf == b.buf and a.tick == b.tick and a.row == b.row and a.col == b.col
end

--- A snippet's text without its tab stops.
local function plain_snippet(value)
  value = value:gsub('\\([$}\\])', function(c) return ('\1%d\1'):format(c:byte()) end)
  value = value:gsub('%$%d+', ''):gsub('%${%d+:?([^}]*)}', '%1')
  return (value:gsub('\1(%d+)\1', function(byte) return string.char(byte) end))
end

local function plain_text(item)
  local text = item.insertText
  if type(text) == 'table' then
    text = text.kind == 'snippet' and plain_snippet(text.value) or text.value
  end
  return (text:gsub('\r\n?', '\n'))
end

--- The item at the place it was asked for; nil if it is not text that goes on from the cursor.
---@param item table
---@param place ghostfill.Place
---@param encoding string
---@return ghostfill.Offer|nil
function M.new(item, place, encoding)
  local text, tail, taken = plain_text(item), 0, ''
  if item.range then
    local first, last = item.range.start, item.range['end']
    if first.line ~= place.row or last.line ~= place.row then
      return nil
    end
    local line = place.before .. place.after
    local from = units.bytes(line, first.character, encoding)
    tail = units.bytes(line, last.character, encoding) - place.col
    taken = place.before:sub(from + 1)
    if from > place.col or tail < 0 or not vim.startswith(text, taken) then
      return nil
    end
  end
  text = text:sub(#taken + 1)
  if text == place.after:sub(1, tail) then
    return nil
  end
  return { item = item, place = place, text = text, tail = tail, taken = taken }
end

--- The usable items of an answer.
---@param result table|nil
---@return ghostfill.Offer[]
function M.all(result, place, encoding)
  local found = {}
  for _, item in ipairs(result and (result.items or result) or {}) do
    found[#found + 1] = M.new(item, place, encoding)
  end
  return found
end

--- What the server calls it; nil if it does not say.
---@param offer ghostfill.Offer
---@return string|nil
function M.id(offer)
  local arguments = offer.item.command and offer.item.command.arguments
  local first = arguments and arguments[1]
  return type(first) == 'table' and first.id or nil
end

---@param a ghostfill.Offer
---@param b ghostfill.Offer
function M.same_text(a, b)
  return a.text == b.text and a.tail == b.tail
end

--- Every character of `wanted` occurs in `text`, one behind the other.
local function contains_in_order(text, wanted)
  local at = 0
  for character in wanted:gmatch(CHARACTER) do
    at = text:find(character, at + 1, true)
    if not at then
      return false
    end
  end
  return true
end

--- By how many bytes what stands right behind the cursor has grown: brackets that the editor closed, or,
--- below 0, a replaced tail that was typed over. Nil if anything else has changed there.
local function tail_growth(offer, now)
  local was, growth = offer.place.after, #now.after - #offer.place.after
  if growth < 0 then
    return growth >= -offer.tail and now.after == was:sub(1 - growth) and growth or nil
  end
  local closed = now.after:sub(1, growth)
  local fits = growth <= MAX_AUTO_CLOSED and closed:find(AUTO_CLOSED) and now.after:sub(growth + 1) == was
  return fits and growth or nil
end

--- What is left of an offer after `typed` has been added at its place; it replaces closed brackets that it
--- contains.
local function rest_after(offer, typed, growth, now)
  local text, tail = offer.text:sub(#typed + 1), offer.tail + growth
  if growth > 0 and not contains_in_order(text, now.after:sub(1, tail)) then
    tail = 0
  end
  local changes = { place = now, text = text, tail = tail, taken = offer.taken .. typed }
  return vim.tbl_extend('force', offer, changes)
end

--- The rest of the offer if what was typed since is how it begins; nil if anything else happened.
---@param offer ghostfill.Offer
---@param now ghostfill.Place
---@return ghostfill.Offer|nil
function M.typed_through(offer, now)
  local was, growth = offer.place, tail_growth(offer, now)
  if now.buf ~= was.buf or not growth or now.row < was.row then
    return nil
  end
  local lines = vim.api.nvim_buf_get_lines(now.buf, was.row, now.row, false)
  lines[#lines + 1] = now.before
  local text = table.concat(lines, '\n')
  local typed = text:sub(#was.before + 1)
  if not vim.startswith(text, was.before) or not vim.startswith(offer.text, typed) then
    return nil
  end
  local rest = rest_after(offer, typed, growth, now)
  return rest.text ~= now.after:sub(1, rest.tail) and rest or nil
end

--- The first word of what is left, with the blanks and line ends before it.
---@param offer ghostfill.Offer
function M.first_word(offer)
  return offer.text:match('^%s*[%w_\128-\255]+') or offer.text:match('^%s*[^%w_%s\128-\255]+') or offer.text
end

--- The rest of the line; at a line's end, the whole next line.
---@param offer ghostfill.Offer
function M.first_line(offer)
  return offer.text:match('^\n?[^\n]+') or offer.text
end

--- How many bytes of the replaced tail an accepted piece takes along: those that the rest contains no more.
---@param offer ghostfill.Offer
---@param piece string
---@return integer
function M.overtyped(offer, piece)
  local tail, rest = offer.place.after:sub(1, offer.tail), offer.text:sub(#piece + 1)
  if not contains_in_order(offer.text, tail) then
    return 0
  end
  local taken = 0
  for character in tail:gmatch(CHARACTER) do
    if contains_in_order(rest, tail:sub(taken + 1)) then
      break
    end
    taken = taken + #character
  end
  return taken
end

--- `acceptedLength` of the protocol once `piece` is inserted too: UTF-16 units from the item's start.
---@param offer ghostfill.Offer
---@param piece string
function M.accepted_length(offer, piece)
  return units.count(offer.taken .. piece, 'utf-16')
end

return M
