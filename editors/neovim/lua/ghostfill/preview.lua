--- How the lines from the cursor on will look once an offer is accepted, as chunks of text and highlight.
--- Reads the buffer's colours; draws nothing.
local M = {}

---@alias ghostfill.Chunk table text, highlight group or list of groups
---@alias ghostfill.Line ghostfill.Chunk[]

local CHARACTER = '[%z\1-\127\194-\244][\128-\191]*'

--- Text of the cursor's line as it stands, with its colours, to be drawn elsewhere.
---@param from integer first byte, from 0
---@param text string
---@return ghostfill.Chunk[]
local function standing(place, from, text)
  local chunks, last = {}, nil
  for i = 1, #text do
    local syntax = vim.fn.synIDtrans(vim.fn.synID(place.row + 1, from + i, 1))
    if syntax == last then
      chunks[#chunks][1] = chunks[#chunks][1] .. text:sub(i, i)
    else
      local name = vim.fn.synIDattr(syntax, 'name')
      chunks[#chunks + 1] = { text:sub(i, i), name ~= '' and name or 'GhostfillRest' }
      last = syntax
    end
  end
  return chunks
end

--- Where `kept` stands in `text`, as late as possible: what a replaced tail keeps of itself.
local function find_last(text, kept)
  local from = text:reverse():find(kept:reverse(), 1, true)
  return from and #text - from - #kept + 2
end

---@param offer ghostfill.Offer
---@return ghostfill.Chunk[] chunks line ends included
---@return string|nil added the new text, if all of it comes first and nothing is removed
local function chunks_of(offer)
  local place = offer.place
  local tail, rest = place.after:sub(1, offer.tail), place.after:sub(offer.tail + 1)
  local at = tail ~= '' and find_last(offer.text, tail)
  if not at then
    local chunks = { { offer.text, 'GhostfillGhost' } }
    vim.list_extend(chunks, standing(place, place.col + offer.tail, rest))
    return chunks, tail == '' and offer.text or nil
  end
  local before, after = offer.text:sub(1, at - 1), offer.text:sub(at + #tail)
  local chunks = { { before, 'GhostfillGhost' } }
  vim.list_extend(chunks, standing(place, place.col, tail))
  chunks[#chunks + 1] = { after, 'GhostfillGhost' }
  vim.list_extend(chunks, standing(place, place.col + offer.tail, rest))
  return chunks, after == '' and before or nil
end

--- Chunks with line ends, cut into lines.
---@return ghostfill.Line[]
local function split_lines(chunks)
  local lines = { {} }
  for _, chunk in ipairs(chunks) do
    for i, part in ipairs(vim.split(chunk[1], '\n', { plain = true })) do
      if i > 1 then
        lines[#lines + 1] = {}
      end
      table.insert(lines[#lines], { part, chunk[2] })
    end
  end
  return lines
end

--- Replaces tabs by blanks (virtual text has no tab stops) and measures.
---@param line ghostfill.Line changed in place
---@param column integer screen column where it begins, from 0
---@return integer column where it ends
local function expand_tabs(line, column)
  local tabstop = vim.bo.tabstop
  for _, chunk in ipairs(line) do
    local parts = vim.split(chunk[1], '\t', { plain = true })
    for i, part in ipairs(parts) do
      column = column + vim.fn.strdisplaywidth(part, column)
      if i < #parts then
        local blanks = tabstop - column % tabstop
        parts[i] = part .. (' '):rep(blanks)
        column = column + blanks
      end
    end
    chunk[1] = table.concat(parts)
  end
  return column
end

--- Cuts a line where the window wraps it; virtual text would go on behind the window's edge.
---@param line ghostfill.Line
---@param room integer columns of the first row
---@param width integer columns of the others
---@return ghostfill.Line[]
function M.wrap(line, room, width)
  local rows = { {} }
  for _, chunk in ipairs(line) do
    local piece = {}
    for character in chunk[1]:gmatch(CHARACTER) do
      local columns = #character == 1 and 1 or vim.fn.strdisplaywidth(character)
      if columns > room then
        table.insert(rows[#rows], { table.concat(piece), chunk[2] })
        rows[#rows + 1], piece, room = {}, {}, width
      end
      piece[#piece + 1], room = character, room - columns
    end
    table.insert(rows[#rows], { table.concat(piece), chunk[2] })
  end
  return rows
end

---@class ghostfill.Preview
---@field lines ghostfill.Line[] the first is the cursor's, from the cursor on
---@field added string|nil see `chunks_of`
---@field start integer screen column of the cursor in its line, from 0
---@field finish integer screen column where the first line ends
---@field old_finish integer where it ends now

---@param offer ghostfill.Offer
---@return ghostfill.Preview
function M.of(offer)
  local chunks, added = chunks_of(offer)
  local lines = split_lines(chunks)
  local start = vim.fn.strdisplaywidth(offer.place.before)
  for i = 2, #lines do
    expand_tabs(lines[i], 0)
  end
  return {
    lines = lines,
    added = added,
    start = start,
    finish = expand_tabs(lines[1], start),
    old_finish = start + vim.fn.strdisplaywidth(offer.place.after, start),
  }
end

return M
