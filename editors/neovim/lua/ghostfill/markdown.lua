--- The server's Markdown as lines to be read in a buffer: targets of links and escapes are taken out, and the
--- links are kept beside. Pure.
local M = {}

---@class ghostfill.Link
---@field first integer bytes from 0, in its line
---@field last integer exclusive
---@field uri string
---@field line integer|nil from 1

local LINK = '%[([^%]]*)%]%((file:[^)%s]*)%)'

--- Without the backslashes before punctuation, which code has none of.
local function unescaped(line)
  local is_code = false
  return (line:gsub('(`*)([^`]*)', function(ticks, text)
    if ticks ~= '' then
      is_code = not is_code
    end
    return ticks .. (is_code and text or text:gsub('\\(%p)', '%1'))
  end))
end

---@return string
---@return ghostfill.Link[]
local function read_line(line)
  local text, links, from = '', {}, 1
  for start, label, target, rest in line:gmatch('()' .. LINK .. '()') do
    text = text .. unescaped(line:sub(from, start - 1))
    local uri, number = target:match('^(.-)#L(%d+)$')
    local link = { first = #text, last = #text + #label, uri = uri or target, line = tonumber(number) }
    links[#links + 1] = link
    text, from = text .. label, rest
  end
  return text .. unescaped(line:sub(from)), links
end

---@param markdown string
---@return string[] lines
---@return table<integer, ghostfill.Link[]> links by line, from 1
function M.read(markdown)
  local lines, links, fence = {}, {}, nil
  local text = markdown:gsub('\r\n?', '\n'):gsub('%z', ' '):gsub('\n+$', '')
  for _, line in ipairs(vim.split(text, '\n', { plain = true })) do
    local mark = line:match('^```+')
    local found = {}
    if fence or mark then
      fence = not fence and mark or fence ~= mark and fence or nil
    else
      line, found = read_line(line)
    end
    lines[#lines + 1], links[#lines + 1] = line, found
  end
  return lines, links
end

--- The link at a column, or the nearest one of the line.
---@param links ghostfill.Link[]
---@param column integer bytes from 0
---@return ghostfill.Link|nil
function M.nearest(links, column)
  local nearest, distance
  for _, link in ipairs(links) do
    local away = math.max(link.first - column, column - link.last + 1, 0)
    if not distance or away < distance then
      nearest, distance = link, away
    end
  end
  return nearest
end

return M
