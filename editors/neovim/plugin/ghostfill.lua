if vim.g.loaded_ghostfill or vim.fn.has('nvim-0.7') == 0 then
  return
end
vim.g.loaded_ghostfill = true

vim.api.nvim_create_user_command('GhostfillToggle', function(command)
  require('ghostfill').toggle(command.args ~= '' and command.args or nil)
end, {
  nargs = '?',
  complete = function() return { vim.bo.filetype } end,
  desc = 'Turn ghost text on or off, everywhere or for a language',
})

vim.api.nvim_create_user_command('GhostfillSnooze', function(command)
  require('ghostfill').snooze(tonumber(command.args) or command.args ~= '' and command.args or nil)
end, { nargs = '?', desc = 'Turn ghost text off for some minutes' })

vim.api.nvim_create_user_command('GhostfillStatus', function()
  require('ghostfill').report()
end, { desc = 'Say what the ghostfill server is doing' })

vim.api.nvim_create_user_command('GhostfillContext', function()
  require('ghostfill').explain()
end, { desc = 'Show what the next completion would send, and why' })
