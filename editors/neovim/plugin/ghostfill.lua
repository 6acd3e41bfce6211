if vim.g.loaded_ghostfill or vim.fn.has('nvim-0.7') == 0 then
  return
end
vim.g.loaded_ghostfill = true

local function command(name, run, description, more)
  local opts = vim.tbl_extend('error', { desc = description }, more or {})
  local function call_it(call) run(require('ghostfill'), call) end
  vim.api.nvim_create_user_command('Ghostfill' .. name, call_it, opts)
end

--- The lines of a command's range, or nil for the cursor's place.
local function lines(call)
  return call.range > 0 and { first = call.line1 - 1, last = call.line2 - 1 } or nil
end

command('Toggle', function(ghostfill, call)
  ghostfill.toggle(call.args ~= '' and call.args or nil)
end, 'Turn ghost text on or off, everywhere or for a language', {
  nargs = '?',
  complete = function() return { vim.bo.filetype } end,
})
command('Snooze', function(ghostfill, call)
  ghostfill.snooze(tonumber(call.args) or call.args ~= '' and call.args or nil)
end, 'Turn ghost text off for some minutes', { nargs = '?' })
command('Status', function(ghostfill) ghostfill.report() end, 'Say what the ghostfill server is doing')
command('Restart', function(ghostfill) ghostfill.restart() end, 'Try the engine again now')
command('Context', function(ghostfill)
  ghostfill.context()
end, 'Show what the next completion would send, and why')
command('Explain', function(ghostfill, call)
  ghostfill.explain(lines(call))
end, 'Explain the lines, or the function at the cursor', { range = true })
command('Fix', function(ghostfill, call)
  ghostfill.fix(lines(call), call.args ~= '' and call.args or nil)
end, 'Show how what is wrong here could be mended, or changed as a note says', { range = true, nargs = '*' })
command('Document', function(ghostfill, call)
  ghostfill.document(lines(call))
end, 'Write the docstring of the function or class at the cursor', { range = true })
command('Cancel', function(ghostfill)
  ghostfill.cancel()
end, 'End the fix or the docstring that is being made')
