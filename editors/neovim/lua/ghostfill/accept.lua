--- Puts what is offered, or the next piece of it, into the buffer, and tells the server.
local client = require('ghostfill.client')
local offers = require('ghostfill.offer')
local session = require('ghostfill.session')
local wire = require('ghostfill.wire')

local M = {}

--- One change at the cursor; a paste is what `.` repeats together with the keys around it.
---@param place ghostfill.Place
---@param text string
---@param tail integer bytes after the cursor to replace
local function insert(place, text, tail)
  if tail > 0 then
    vim.api.nvim_buf_set_text(place.buf, place.row, place.col, place.row, place.col + tail, { '' })
  end
  vim.api.nvim_paste(text, false, -1)
end

---@param choose fun(offer: ghostfill.Offer): string the piece to accept
local function accept(choose)
  local offer = session.visible()
  if not offer then
    return
  end
  local piece, server = choose(offer), client.of(offer.place.buf)
  if piece == offer.text then
    session.dismiss()
    insert(offer.place, piece, offer.tail)
    if server then
      wire.accepted(server, offer.item, offer.place.buf)
    end
    return
  end
  insert(offer.place, piece, 0)
  if server then
    wire.partially_accepted(server, offer.item, offers.accepted_length(offer, piece))
  end
  session.update()
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
