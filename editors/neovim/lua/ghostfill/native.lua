--- The editor's own inline completion (Neovim 0.12), with our keys: what `ghostfill.session` and
--- `ghostfill.accept` do otherwise. It asks, draws and cycles by itself.
local client = require('ghostfill.client')
local offers = require('ghostfill.offer')
local wire = require('ghostfill.wire')

local M = {}

local NAMESPACE = 'nvim.lsp.inline_completion'

--- Handler of LspAttach: it draws in our buffers.
function M.on_attach(event)
  local server = client.server_of(event.buf)
  if server and server.id == event.data.client_id then
    vim.lsp.inline_completion.enable(true, { bufnr = event.buf })
  end
end

---@return boolean|nil
function M.visible()
  local namespace = vim.api.nvim_get_namespaces()[NAMESPACE]
  return namespace and #vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { limit = 1 }) > 0 or nil
end

--- What is shown, as our own session would have it.
---@param item table the editor's
---@return ghostfill.Offer|nil
local function offer_of(item)
  local range
  if item.range then
    local row, first, last_row, last = item.range:to_extmark()
    range = { start = { line = row, character = first }, ['end'] = { line = last_row, character = last } }
  end
  local wanted = { insertText = item.insert_text, range = range, command = item.command }
  return offers.new(wanted, offers.here(), 'utf-8')
end

--- Takes what is shown off the screen, for `act` to do with it what it likes.
---@param act fun(offer: ghostfill.Offer)
local function take(act)
  vim.lsp.inline_completion.get({
    on_accept = function(item)
      local offer = offer_of(item)
      if offer then
        act(offer)
      end
    end,
  })
end

local function accept(choose)
  take(function(offer) require('ghostfill.accept').insert(offer, choose(offer)) end)
end

function M.all() vim.lsp.inline_completion.get() end
function M.word() accept(offers.first_word) end
function M.line() accept(offers.first_line) end

function M.dismiss()
  take(function(offer)
    local server = client.of(offer.place.buf)
    if server then
      wire.dismissed(server, offers.id(offer), offer.place)
    end
  end)
end

---@param steps integer
function M.cycle(steps) vim.lsp.inline_completion.select({ count = steps }) end

return M
