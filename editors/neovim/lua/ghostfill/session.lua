--- The life of one completion at the cursor: asked for, shown, typed through or dismissed. When to
--- answer, and with what, is the server's business: this asks at every change and shows what still fits.
local client = require('ghostfill.client')
local config = require('ghostfill.config')
local ghost = require('ghostfill.ghost')
local offers = require('ghostfill.offer')
local status = require('ghostfill.status')
local wire = require('ghostfill.wire')

local M = {}

local enabled = true
local offer ---@type ghostfill.Offer|nil what is on the screen
---@type table|nil the newest request: place, invoked, client (nil if there was none), id while unanswered
local asked

-- RequestCancelled, ContentModified, ServerCancelled: nobody's mistake
local SILENT = { [-32800] = true, [-32801] = true, [-32802] = true }

local function can_show()
  return enabled and vim.api.nvim_get_mode().mode == 'i' and vim.fn.pumvisible() == 0
end

local function cancel()
  if asked and asked.id then
    wire.cancel(asked.client, asked.id)
    asked.id = nil
  end
end

local function hide()
  if offer then
    ghost.hide(offer.place.buf)
    offer = nil
  end
end

local function show(new)
  hide()
  offer = new
  ghost.show(offer)
end

local function on_answer(request, err, result)
  if asked ~= request or not request.id then
    return -- a newer request, a dismissal or a cancel came between
  end
  request.id = nil
  if err and not SILENT[err.code] then
    status.error_once(request.client.id, err.message or 'the server failed')
  end
  if not can_show() or not offers.same_place(offers.here(), request.place) then
    return
  end
  local item = result and (result.items or result)[1]
  local new = item and offers.new(item, request.place, wire.encoding(request.client))
  if new then
    show(new)
    wire.shown(request.client, item)
  else
    hide()
  end
end

---@param place ghostfill.Place
---@param invoked boolean|nil
local function ask(place, invoked)
  cancel()
  local request = { client = client.of(place.buf), place = place, invoked = invoked }
  asked = request
  if request.client then
    request.id = wire.ask(request.client, place, invoked, function(err, result)
      on_answer(request, err, result)
    end)
  end
end

--- The buffer, the cursor or the popup menu may have changed.
---@param invoked boolean|nil ask even if nothing changed
function M.update(invoked)
  if not can_show() then
    return M.stop()
  end
  local now = offers.here()
  if asked and not invoked and offers.same_place(asked.place, now) then
    return -- one key fires both CursorMovedI and TextChangedI
  end
  if offer and not offers.same_place(offer.place, now) then
    local rest = offers.typed_through(offer, now)
    if rest then
      show(rest)
    else
      hide()
    end
  end
  if invoked or config.auto() then
    ask(now, invoked)
  end
end

--- A server has got a buffer: what was asked while it started is asked now.
function M.on_ready()
  local early = asked and not asked.client and asked
  asked = not early and asked or nil
  M.update(early and early.invoked)
end

--- The engine is loading, or loaded: what it had no answer to is asked again.
function M.on_status()
  if asked and asked.client and not asked.id and not offer then
    local invoked = asked.invoked
    asked = nil
    M.update(invoked)
  end
end

--- Hides the ghost text; nothing is asked until something changes.
function M.dismiss()
  hide()
  cancel()
end

--- The user is elsewhere; back at the same place, the question is asked again.
function M.stop()
  M.dismiss()
  asked = nil
end

--- What the user sees at the cursor now.
---@return ghostfill.Offer|nil
function M.visible()
  local fits = offer and can_show() and offers.same_place(offer.place, offers.here())
  return fits and offer or nil
end

function M.trigger()
  M.update(true)
end

--- Turns ghost text on or off in all buffers.
---@return boolean enabled
function M.toggle()
  enabled = not enabled
  if enabled then
    client.revive()
  end
  M.update(true)
  return enabled
end

function M.is_enabled()
  return enabled
end

return M
