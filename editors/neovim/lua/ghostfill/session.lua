--- The life of one completion at the cursor: asked for, shown, typed through or dismissed. When to
--- answer, and with what, is the server's business: this asks at every change and shows what still fits.
local client = require('ghostfill.client')
local choosing = require('ghostfill.choices')
local config = require('ghostfill.config')
local ghost = require('ghostfill.ghost')
local menus = require('ghostfill.menus')
local offers = require('ghostfill.offer')
local say = require('ghostfill.say')
local status = require('ghostfill.status')
local wire = require('ghostfill.wire')

local M = {}

local offer ---@type ghostfill.Offer|nil what is on the screen
local choices ---@type ghostfill.Choices|nil what it was chosen from, if a key asked
local told ---@type string|table|nil the completion that a server was told last to be on the screen

---@class ghostfill.Request
---@field place ghostfill.Place
---@field client table|nil nil if there was none
---@field id integer|nil while unanswered
---@field steps integer|nil where a key asked: 0 for the first completion, else steps from the one seen
local asked ---@type ghostfill.Request|nil the newest

local function can_show()
  return vim.api.nvim_get_mode().mode == 'i' and not menus.is_open()
end

local function cancel()
  if asked and asked.id then
    wire.cancel(asked.client, asked.id)
    asked.id = nil
  end
end

local function tell_shown()
  local completion = offers.id(offer) or offer.item
  local server = completion ~= told and client.of(offer.place.buf)
  if server then
    told = completion
    wire.shown(server, offer.item)
  end
end

--- Changes what is on the screen.
---@param new ghostfill.Offer|nil
---@param chosen_from ghostfill.Choices|nil
local function show(new, chosen_from)
  local was = M.label()
  if offer then
    ghost.hide(offer.place.buf)
  end
  offer, choices = new, chosen_from
  if offer then
    ghost.show(offer)
    tell_shown()
  end
  if M.label() ~= was then
    vim.cmd('redrawstatus')
  end
end

---@param new ghostfill.Choices
local function show_choice(new)
  show(choosing.current(new), new)
end

--- An answer while typing. What was chosen by key stays as long as it is what is typed.
---@param new ghostfill.Offer|nil
local function on_unasked(new)
  local is_same = new and offer and offers.same_text(new, offer)
  if offer and offer.is_chosen and not is_same then
    return
  end
  show(new and vim.tbl_extend('force', new, { is_chosen = is_same and offer.is_chosen }))
end

local function on_answer(request, err, result)
  if asked ~= request or not request.id then
    return -- a newer request, a dismissal or a cancel came between
  end
  request.id = nil
  if err and not say.SILENT[err.code] then
    status.error_once(request.client.id, err.message or 'the server failed')
  end
  if not can_show() or not offers.same_place(offers.here(), request.place) then
    return
  end
  local found = offers.all(result, request.place, wire.encoding(request.client))
  if not request.steps then
    on_unasked(found[1])
  elseif #found > 0 then
    show_choice(choosing.chosen(found, request.steps, offer))
  end
end

---@param place ghostfill.Place
---@param steps integer|nil
local function ask(place, steps)
  cancel()
  local request = { client = client.of(place.buf), place = place, steps = steps }
  asked = request
  if request.client then
    request.id = wire.ask(request.client, place, steps ~= nil, function(err, result)
      on_answer(request, err, result)
    end)
  end
end

--- The buffer, the cursor or the popup menu may have changed.
---@param steps integer|nil a key asks, even if nothing has changed; see ghostfill.Request
function M.update(steps)
  if not can_show() then
    return M.stop()
  end
  local now = offers.here()
  if asked and not steps and offers.same_place(asked.place, now) then
    return -- one key fires both CursorMovedI and TextChangedI
  end
  if offer and not offers.same_place(offer.place, now) then
    show(offers.typed_through(offer, now))
  end
  if steps or config.auto() then
    ask(now, steps)
  end
end

--- A server has got a buffer: what was asked while it started is asked now.
function M.on_ready()
  local early = asked and not asked.client and asked
  asked = not early and asked or nil
  M.update(early and early.steps or nil)
end

--- The engine is loading, or loaded: what it had no answer to is asked again.
function M.on_status()
  if asked and asked.client and not asked.id and not offer then
    local steps = asked.steps
    asked = nil
    M.update(steps)
  end
end

--- Hides the ghost text; nothing is asked until something changes.
function M.clear()
  show(nil)
  cancel()
end

--- The user is elsewhere; back at the same place, the question is asked again.
function M.stop()
  M.clear()
  asked = nil
end

--- What may be shown has changed: the question is asked again.
function M.refresh()
  M.stop()
  M.update()
end

--- What the user sees at the cursor now.
---@return ghostfill.Offer|nil
function M.visible()
  local fits = offer and can_show() and offers.same_place(offer.place, offers.here())
  return fits and offer or nil
end

--- The user does not want this here; the server remembers the place.
function M.dismiss()
  local dismissed = M.visible()
  M.clear()
  local server = dismissed and client.of(dismissed.place.buf)
  if server then
    wire.dismissed(server, offers.id(dismissed), dismissed.place)
  end
end

function M.trigger()
  M.update(0)
end

--- Another completion for this place; asks for them all first.
---@param steps integer
function M.cycle(steps)
  if asked and asked.id and asked.steps and offers.same_place(asked.place, offers.here()) then
    asked.steps = asked.steps + steps -- the answer is on its way
  elseif M.visible() and choices then
    show_choice(choosing.moved(choices, steps))
  else
    M.update(steps)
  end
end

--- Which of how many completions is shown, if a key asked for them: "2/3", else "".
function M.label()
  return choices and choosing.label(choices) or ''
end

return M
