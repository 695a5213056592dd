-- Builds the page's own elements: figures and tables in scroll regions with names, callouts,
-- foldable sections, and the list of contents. Runs after citeproc.

local sizes = {}
local contents = pandoc.List()
local callouts = 0

local build

local function raw(text)
  return pandoc.RawBlock("html", text)
end

local function escape(text)
  return (text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;"):gsub('"', "&quot;"))
end

local function region(identifier)
  return '<div class="scroll" role="region" tabindex="0" aria-labelledby="' .. identifier .. '-caption">'
end

local function figure(element)
  local image = element.content[1].content[1]
  local size = sizes[image.src] or {}
  local blocks = pandoc.List({
    raw('<figure id="' .. element.identifier .. '">\n' .. region(element.identifier)
      .. '<img src="' .. escape(image.src) .. '" alt="' .. escape(image.attributes["fig-alt"])
      .. '" width="' .. size.width .. '" height="' .. size.height .. '"></div>\n<figcaption id="'
      .. element.identifier .. '-caption">'),
    pandoc.Plain(element.caption.long[1].content),
    raw("</figcaption>\n</figure>"),
  })
  return blocks
end

local function table_(element)
  local id = element.identifier
  local source = element.content[1].text
  local opening, rest = source:match("^%s*(<table.->)(.*)$")
  return pandoc.List({
    raw('<div class="table" id="' .. id .. '">' .. region(id) .. "\n" .. opening
      .. '\n<caption><span class="caption" id="' .. id .. '-caption">'),
    pandoc.Plain(element.content[2].content),
    raw("</span></caption>" .. rest .. "</div></div>"),
  })
end

-- A filter does not look into what it has put in place of an element, so boxes walk their content.
local function callout(element, kind)
  callouts = callouts + 1
  local id = "callout-" .. callouts
  local blocks = pandoc.List({
    raw('<div class="callout ' .. kind .. '" role="note" aria-labelledby="' .. id .. '">\n'
      .. '<p class="callout-title" id="' .. id .. '">' .. escape(element.attributes.title) .. "</p>"),
  })
  blocks:extend(element.content:walk(build))
  blocks:insert(raw("</div>"))
  return blocks
end

local function fold(element)
  local blocks = pandoc.List({ raw('<details class="fold">\n<summary>'),
    raw('</summary>\n<div class="fold-body">') })
  local content = element.content:walk(build)
  blocks:insert(2, content:remove(1))
  blocks:extend(content)
  blocks:insert(raw("</div>\n</details>"))
  return blocks
end

-- A paragraph wholly in italics under a heading is the question that what follows answers.
local function questions(blocks)
  for position = 2, #blocks do
    local block = blocks[position]
    if blocks[position - 1].t == "Header" and block.t == "Para" and #block.content == 1
      and block.content[1].t == "Emph" then
      blocks[position] = pandoc.Div(block, pandoc.Attr("", { "question" }))
    end
  end
  return blocks
end

build = {
  traverse = "topdown",
  Blocks = questions,
  Header = function(header)
    if header.level == 2 then
      contents:insert({ pandoc.Plain({ pandoc.Link(header.content:walk({
        Link = function(link) return link.content end,
        Span = function(span)
          if not span.classes:includes("number") then return span.content end
        end,
      }), "#" .. header.identifier) }) })
    end
  end,
  Figure = function(element)
    return figure(element), false
  end,
  Div = function(element)
    local classes = element.classes
    if element.identifier:match("^tbl%-") then
      return table_(element), false
    elseif classes:includes("callout-note") then
      return callout(element, "note"), false
    elseif classes:includes("callout-important") then
      return callout(element, "important"), false
    elseif classes:includes("fold") then
      return fold(element), false
    end
  end,
}

function Pandoc(doc)
  for path, size in pairs(doc.meta.sizes or {}) do
    sizes[path] = { width = pandoc.utils.stringify(size.width), height = pandoc.utils.stringify(size.height) }
  end
  local built = doc:walk(build)
  built.meta = { contents = pandoc.MetaBlocks({ pandoc.BulletList(contents) }) }
  return built
end
