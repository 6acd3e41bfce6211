--- The completions that a key asked for at one place, and which of them is shown. Values only.
local offers = require('ghostfill.offer')

local M = {}

---@class ghostfill.Choices
---@field offers ghostfill.Offer[] one at least
---@field index integer

--- So many steps further, around the ends.
---@param choices ghostfill.Choices
---@param steps integer
---@return ghostfill.Choices
function M.moved(choices, steps)
  return { offers = choices.offers, index = (choices.index - 1 + steps) % #choices.offers + 1 }
end

--- What keys have chosen: 0 steps is the first; others count from the one that is seen, else from outside.
---@param found ghostfill.Offer[] one at least
---@param steps integer
---@param seen ghostfill.Offer|nil
---@return ghostfill.Choices
function M.chosen(found, steps, seen)
  local choices = { offers = found, index = 1 }
  for index, offer in ipairs(steps ~= 0 and seen and found or {}) do
    if offers.same_text(offer, seen) then
      return M.moved({ offers = found, index = index }, steps)
    end
  end
  return M.moved(choices, steps > 0 and steps - 1 or steps)
end

---@param choices ghostfill.Choices
---@return ghostfill.Offer
function M.current(choices)
  local offer = choices.offers[choices.index]
  return vim.tbl_extend('force', offer, { is_chosen = choices.index > 1 })
end

---@param choices ghostfill.Choices
---@return string "2/3"
function M.label(choices)
  return ('%d/%d'):format(choices.index, #choices.offers)
end

return M
