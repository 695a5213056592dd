-- Writes what pandoc's Typst writer loses: alternative text, tables that come as raw HTML with
-- their headings, callouts and other boxes. Runs after citeproc.

local build

local function raw(text)
  return pandoc.RawBlock("typst", text)
end

local function string_(text)
  return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"') .. '"'
end

-- Typst would make dashes and an ellipsis of these, a minus of the hyphen before a digit, and a soft
-- hyphen of "-?"; pandoc's writer lets them through.
local function str(element)
  local text, out, position = element.text, pandoc.List({}), 1
  while true do
    local first, last = text:find("%-+", position)
    local dots, end_dots = text:find("%.%.+", position)
    if dots and (not first or dots < first) then
      first, last = dots, end_dots
    end
    if not first then break end
    if first > position then
      out:insert(pandoc.Str(text:sub(position, first - 1)))
    end
    out:insert(pandoc.RawInline("typst", (text:sub(first, last):gsub(".", "\\%0"))))
    position = last + 1
  end
  if position == 1 then return nil end
  if position <= #text then
    out:insert(pandoc.Str(text:sub(position)))
  end
  return out
end

local inline = {
  Str = str,
  Span = function(span)
    if span.classes:includes("unknown") then
      local out = pandoc.List({ pandoc.RawInline("typst", "#unknown[") })
      out:extend(span.content)
      out:insert(pandoc.RawInline("typst", "]"))
      return out
    elseif span.classes:includes("caption-label") then
      local out = pandoc.List({ pandoc.RawInline("typst", "#caption-label[") })
      out:extend(span.content)
      out:insert(pandoc.RawInline("typst", "]"))
      return out
    elseif span.classes:includes("number") then
      local out = pandoc.List({ pandoc.RawInline("typst", "#section-number[") })
      out:extend(span.content)
      out:insert(pandoc.RawInline("typst", "]"))
      return out
    elseif span.classes:includes("fact") or span.classes:includes("name") then
      return span.content
    end
  end,
}

local function inline_raw(text)
  return pandoc.RawInline("typst", text)
end

-- Inlines as Typst content in brackets. All content of an element becomes one run of inlines, which
-- pandoc writes once: writing each cell of a table by itself took most of the time of a document.
local function content(inlines)
  local first = pandoc.utils.stringify(inlines):sub(1, 1)
  -- At the start of content these would begin a list or a heading.
  local out = pandoc.List({ inline_raw(first:match("[-+=/%d]") and "[#[];" or "[") })
  out:extend(inlines)
  out:insert(inline_raw("]"))
  return out
end

local function figure(element)
  local image = element.content[1].content[1]
  local out = pandoc.List({ inline_raw("#figure(image(" .. string_(image.src) .. ", alt: "
    .. string_(image.attributes["fig-alt"]) .. "), kind: image, caption: ") })
  out:extend(content(element.caption.long[1].content))
  out:insert(inline_raw(") <" .. element.identifier .. ">"))
  return pandoc.Plain(out)
end

-- "start:40 end" says alignment and width of each column.
local function layout(text)
  local aligns, widths, any = {}, {}, false
  for token in text:gmatch("%S+") do
    local align, width = token:match("^(%a+):?(%d*)$")
    table.insert(aligns, align == "end" and "right" or "left")
    table.insert(widths, width ~= "" and (width .. "%") or "")
    any = any or width ~= ""
  end
  for position, width in ipairs(widths) do
    if width == "" then
      widths[position] = (any or position == 1) and "1fr" or "auto"
    end
  end
  -- A comma after the last makes a list of one column a list.
  return "(" .. table.concat(widths, ", ") .. ",)", "(" .. table.concat(aligns, ", ") .. ",)"
end

local function cell_content(cell)
  return content(pandoc.utils.blocks_to_inlines(cell.contents, { pandoc.Space() }))
end

local function table_(element)
  local source = pandoc.read(element.content[1].text, "html").blocks[1]
  local columns, aligns = layout(source.attributes.layout)
  local heads = source.head.rows[1].cells
  local out = pandoc.List({ inline_raw("#evidence-table(name: " .. string_(element.identifier)
    .. ", noted: " .. tostring(element.classes:includes("noted")) .. ", caption: ") })
  out:extend(content(element.content[2].content))
  out:insert(inline_raw(", table(columns: " .. columns .. ", align: " .. aligns
    .. ", inset: cell-inset(" .. #heads .. "), table.header("))
  for _, cell in ipairs(heads) do
    out:extend(cell_content(cell))
    out:insert(inline_raw(", "))
  end
  out:insert(inline_raw("), "))
  for _, body in ipairs(source.bodies) do
    for _, row in ipairs(body.body) do
      for position, cell in ipairs(row.cells) do
        if position == 1 then
          out:insert(inline_raw("row-head"))
        end
        out:extend(cell_content(cell))
        out:insert(inline_raw(", "))
      end
    end
  end
  out:insert(inline_raw("))"))
  return pandoc.Plain(out)
end

-- A filter does not look into what it has put in place of an element, so boxes walk their content.
local function boxed(opening, content)
  local blocks = pandoc.List({ raw(opening .. "[") })
  blocks:extend(content:walk(build))
  blocks:insert(raw("]"))
  return blocks
end

-- What a block is next to what stands before it: a paragraph wholly in italics under a heading is
-- the question that what follows answers, and a table with a note under it keeps it near.
local function neighbours(blocks)
  for position = 2, #blocks do
    local before, block = blocks[position - 1], blocks[position]
    if before.t == "Header" and block.t == "Para" and #block.content == 1
      and block.content[1].t == "Emph" then
      blocks[position] = pandoc.Div(block, pandoc.Attr("", { "question" }))
    elseif before.t == "Div" and block.t == "Div" and block.classes:includes("source-note") then
      before.classes:insert("noted")
    end
  end
  return blocks
end

build = {
  traverse = "topdown",
  Blocks = neighbours,
  Header = function(header)
    header.level = header.level - 1
    return header
  end,
  Figure = function(element)
    return figure(element), false
  end,
  Div = function(element)
    local classes = element.classes
    if element.identifier:match("^tbl%-") then
      return table_(element), false
    elseif classes:includes("callout-note") or classes:includes("callout-important") then
      local kind = classes[1]:match("callout%-(%a+)")
      return boxed('#callout(kind: "' .. kind .. '", title: ' .. string_(element.attributes.title)
        .. ")", element.content), false
    elseif classes:includes("fold") then
      return element.content:walk(build), false
    elseif classes:includes("key-points") then
      return boxed("#key-points", element.content), false
    elseif classes:includes("source-note") then
      return boxed("#source-note", element.content), false
    elseif classes:includes("question") then
      return boxed("#question", element.content), false
    elseif classes:includes("csl-entry") then
      local blocks = boxed("#work", element.content)
      blocks[#blocks] = raw("] <" .. element.identifier .. ">")
      return blocks, false
    elseif element.identifier == "refs" then
      return element.content:walk(build), false
    end
  end,
}

-- The contents stand before the second section, so that the first page begins with what matters.
local function with_contents(blocks)
  local sections = 0
  for position, block in ipairs(blocks) do
    if block.t == "Header" and block.level == 1 then
      sections = sections + 1
      if sections == 2 then
        blocks:insert(position, raw("#contents()"))
        return blocks
      end
    end
  end
  return blocks
end

function Pandoc(doc)
  local built = doc:walk(build):walk(inline)
  built.blocks = with_contents(built.blocks)
  return built
end
