--- Puts what is offered, or the next piece of it, into the buffer, and tells the server.
local client = require('ghostfill.client')
local offers = require('ghostfill.offer')
local session = require('ghostfill.session')
local wire = require('ghostfill.wire')

local M = {}

--- Stands in for the editor's or the user's own vim.paste, which draws the screen: ghost text that does not
--- fit the new text yet would be seen.
local function put_lines(lines)
  vim.api.nvim_put(lines, 'c', false, true)
  return true
end

--- One change at the cursor; a paste is what `.` repeats together with the keys around it.
---@param place ghostfill.Place
---@param text string
---@param tail integer bytes after the cursor to replace
local function insert(place, text, tail)
  if tail > 0 then
    vim.api.nvim_buf_set_text(place.buf, place.row, place.col, place.row, place.col + tail, { '' })
  end
  local paste = vim.paste
  vim.paste = put_lines
  local ok, problem = pcall(vim.api.nvim_paste, text, false, -1)
  vim.paste = paste
  if not ok then
    error(problem, 0)
  end
end

--- Inserts the beginning of an offer, or all of it.
---@param offer ghostfill.Offer
---@param piece string
function M.insert(offer, piece)
  local server, is_all = client.of(offer.place.buf), piece == offer.text
  insert(offer.place, piece, is_all and offer.tail or offers.overtyped(offer, piece))
  if server and is_all then
    wire.accepted(server, offer.item, offer.place.buf)
  elseif server then
    wire.partially_accepted(server, offer.item, offers.accepted_length(offer, piece))
  end
end

---@param choose fun(offer: ghostfill.Offer): string the piece to accept
local function accept(choose)
  local offer = session.visible()
  if not offer then
    return
  end
  local piece = choose(offer)
  if piece == offer.text then
    session.clear()
  end
  M.insert(offer, piece)
  session.update() -- what comes next may be known already
end

function M.all()
  accept(function(offer) return offer.text end)
end

function M.word()
  accept(offers.first_word)
end

function M.line()
  accept(offers.first_line)
end

return M
