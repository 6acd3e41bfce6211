--- `:checkhealth ghostfill`
local M = {}

local health = vim.health or require('health')
local section = health.start or health.report_start
local ok = health.ok or health.report_ok
local info = health.info or health.report_info
local warn = health.warn or health.report_warn
local fail = health.error or health.report_error

local function check_command(root)
  local command = require('ghostfill.config').get().command
  local path, problem = require('ghostfill.executable').find(command[1], root)
  if path then
    ok('command: ' .. table.concat(vim.list_extend({ path }, command, 2), ' '))
  else
    fail(problem)
  end
end

local function check_server(server)
  section('ghostfill: ' .. server.root)
  check_command(server.root)
  if not server.id then
    fail(server.problem or 'the server is not running', { 'run "ghostfill doctor" in a terminal' })
    return
  end
  local about = server.info or {}
  ok(('server: %s %s, %d buffer(s)'):format(about.name or 'running', about.version or '',
    vim.tbl_count(server.buffers)))
  local state = require('ghostfill.status').get(server.id)
  local say = ({ Error = fail, Warning = warn, Inactive = info })[state.kind] or ok
  say('engine: ' .. (state.message == '' and 'nothing to tell' or state.message))
end

function M.check()
  local config = require('ghostfill.config')
  section('ghostfill')
  if not config.is_set_up() then
    warn("setup() was not called", { "put require('ghostfill').setup() in your init.lua" })
    return
  end
  local version = vim.version()
  ok(('Neovim %d.%d.%d'):format(version.major, version.minor, version.patch))
  info('log of the editor side: ' .. require('vim.lsp.log').get_filename())
  local servers = require('ghostfill.client').all()
  if #servers == 0 then
    check_command(vim.fn.getcwd())
    info('no server yet: one starts when a file of a supported filetype is opened')
  end
  for _, server in ipairs(servers) do
    check_server(server)
  end
end

return M
