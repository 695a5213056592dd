-- Writes what pandoc's Typst writer loses: alternative text, tables that come as raw HTML with
-- their headings, callouts and other boxes. Runs after citeproc.

local build

local function raw(text)
  return pandoc.RawBlock("typst", text)
end

local function string_(text)
  return '"' .. text:gsub("\\", "\\\\"):gsub('"', '\\"') .. '"'
end

local options = pandoc.WriterOptions({ wrap_text = "wrap-none" })

local inline = {
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

local function text_of(inlines)
  local doc = pandoc.Pandoc({ pandoc.Plain(inlines) }):walk(inline)
  return (pandoc.write(doc, { format = "typst", extensions = { smart = false, citations = false } }, options)
    :gsub("%s+$", ""))
end

local function figure(element)
  local image = element.content[1].content[1]
  return raw("#figure(image(" .. string_(image.src) .. ", alt: "
    .. string_(image.attributes["fig-alt"]) .. "), kind: image, caption: ["
    .. text_of(element.caption.long[1].content) .. "]) <" .. element.identifier .. ">")
end

local function cell_text(cell)
  local out = {}
  for _, block in ipairs(cell.contents) do
    table.insert(out, text_of(block.content))
  end
  return table.concat(out, " ")
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

local function table_(element)
  local source = pandoc.read(element.content[1].text, "html").blocks[1]
  local columns, aligns = layout(source.attributes.layout)
  local out = {}
  local heads = {}
  for _, cell in ipairs(source.head.rows[1].cells) do
    table.insert(heads, "[" .. cell_text(cell) .. "]")
  end
  for _, body in ipairs(source.bodies) do
    for _, row in ipairs(body.body) do
      local cells = {}
      for position, cell in ipairs(row.cells) do
        local text = cell_text(cell)
        table.insert(cells, position == 1 and ("row-head[" .. text .. "]") or ("[" .. text .. "]"))
      end
      table.insert(out, "    " .. table.concat(cells, ", ") .. ",")
    end
  end
  return raw("#evidence-table(name: " .. string_(element.identifier) .. ", caption: ["
    .. text_of(element.content[2].content) .. "],\n  table(columns: " .. columns .. ", align: "
    .. aligns .. ", inset: cell-inset(" .. #heads .. "),\n    table.header(" .. table.concat(heads, ", ") .. "),\n"
    .. table.concat(out, "\n") .. "\n  ))")
end

-- A filter does not look into what it has put in place of an element, so boxes walk their content.
local function boxed(opening, content)
  local blocks = pandoc.List({ raw(opening .. "[") })
  blocks:extend(content:walk(build))
  blocks:insert(raw("]"))
  return blocks
end

build = {
  traverse = "topdown",
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
      return boxed('#callout(kind: "' .. kind .. '", title: ['
        .. text_of({ pandoc.Str(element.attributes.title) }) .. "])", element.content), false
    elseif classes:includes("fold") then
      return element.content:walk(build), false
    elseif classes:includes("key-points") then
      return boxed("#key-points", element.content), false
    elseif classes:includes("source-note") then
      return boxed("#source-note", element.content), false
    elseif classes:includes("csl-entry") then
      local blocks = boxed("#work", element.content)
      blocks[#blocks] = raw("] <" .. element.identifier .. ">")
      return blocks, false
    elseif element.identifier == "refs" then
      return element.content:walk(build), false
    end
  end,
}

function Pandoc(doc)
  return doc:walk(build):walk(inline)
end
