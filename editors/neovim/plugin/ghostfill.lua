if vim.g.loaded_ghostfill or vim.fn.has('nvim-0.7') == 0 then
  return
end
vim.g.loaded_ghostfill = true

vim.api.nvim_create_user_command('GhostfillToggle', function()
  require('ghostfill').toggle()
end, { desc = 'Turn ghost text on or off' })

vim.api.nvim_create_user_command('GhostfillStatus', function()
  require('ghostfill').report()
end, { desc = 'Say what the ghostfill server is doing' })

vim.api.nvim_create_user_command('GhostfillContext', function()
  require('ghostfill').explain()
end, { desc = 'Show what the next completion would send, and why' })
