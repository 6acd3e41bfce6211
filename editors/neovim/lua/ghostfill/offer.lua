--- One completion at one place of one buffer: what of it is still to be typed. Values only; knows neither the
--- screen nor the server, and reads no buffer except in `here`.
local units = require('ghostfill.units')

local M = {}

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

--- What is left of an offer after `typed` has been added at its place.
local function rest_after(offer, typed, place)
  return {
    item = offer.item,
    place = place,
    text = offer.text:sub(#typed + 1),
    tail = offer.tail,
    taken = offer.taken .. typed,
  }
end

--- The rest of the offer if what was typed since is how it begins; nil if anything else happened.
---@param offer ghostfill.Offer
---@param now ghostfill.Place
---@return ghostfill.Offer|nil
function M.typed_through(offer, now)
  local was = offer.place
  if now.buf ~= was.buf or now.after ~= was.after or now.row < was.row then
    return nil
  end
  local lines = vim.api.nvim_buf_get_lines(now.buf, was.row, now.row, false)
  lines[#lines + 1] = now.before
  local text = table.concat(lines, '\n')
  local typed = text:sub(#was.before + 1)
  if not vim.startswith(text, was.before) or not vim.startswith(offer.text, typed) then
    return nil
  end
  local rest = rest_after(offer, typed, now)
  return rest.text ~= was.after:sub(1, offer.tail) and rest or nil
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

--- `acceptedLength` of the protocol once `piece` is inserted too: UTF-16 units from the item's start.
---@param offer ghostfill.Offer
---@param piece string
function M.accepted_length(offer, piece)
  return units.count(offer.taken .. piece, 'utf-16')
end

return M
