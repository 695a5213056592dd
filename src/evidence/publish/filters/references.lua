-- Numbers sections, figures and tables, and turns @fig-, @tbl- and @sec- into links with those
-- numbers. Runs before citeproc, which would take the references for citations.

local words = { fig = "Figure", tbl = "Table", sec = "Section" }
local numbers = {}
local counts = { fig = 0, tbl = 0, sec = 0, sub = 0 }

local function number_heading(header)
  if header.classes:includes("unnumbered") then
    return nil
  end
  local number
  if header.level == 2 then
    counts.sec = counts.sec + 1
    counts.sub = 0
    number = tostring(counts.sec)
  elseif header.level == 3 and counts.sec > 0 then
    counts.sub = counts.sub + 1
    number = counts.sec .. "." .. counts.sub
  else
    return nil
  end
  numbers[header.identifier] = number
  header.content:insert(1, pandoc.Space())
  header.content:insert(1, pandoc.Span({ pandoc.Str(number) }, pandoc.Attr("", { "number" })))
  return header
end

local function next_number(identifier)
  local kind = identifier:match("^(%a+)-")
  counts[kind] = counts[kind] + 1
  local number = tostring(counts[kind])
  numbers[identifier] = number
  return pandoc.Span({ pandoc.Str(words[kind] .. "\u{a0}" .. number .. ":") },
    pandoc.Attr("", { "caption-label" }))
end

local count = {
  traverse = "topdown",
  Header = number_heading,
  Figure = function(figure)
    local label = next_number(figure.identifier)
    local inlines = figure.caption.long[1].content
    inlines:insert(1, pandoc.Space())
    inlines:insert(1, label)
    figure.caption.long = { pandoc.Plain(inlines) }
    return figure
  end,
  Div = function(div)
    if div.identifier:match("^tbl%-") then
      local label = next_number(div.identifier)
      local inlines = div.content[2].content
      inlines:insert(1, pandoc.Space())
      inlines:insert(1, label)
      div.content[2] = pandoc.Plain(inlines)
      return div, false
    end
  end,
}

local resolve = {
  Cite = function(cite)
    local identifier = cite.citations[1].id
    local kind = identifier:match("^(%a+)-")
    if words[kind] and #cite.citations == 1 then
      local number = numbers[identifier]
      if not number then
        error("@" .. identifier .. " refers to nothing that has a number")
      end
      return pandoc.Link({ pandoc.Str(words[kind] .. "\u{a0}" .. number) }, "#" .. identifier)
    end
  end,
}

function Pandoc(doc)
  return doc:walk(count):walk(resolve)
end
