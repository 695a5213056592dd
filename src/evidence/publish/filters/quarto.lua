-- The whole dialect as one filter for Quarto, which runs it on the tree as pandoc has read it (its
-- entry point "pre-ast"). The same filters as in the embedded engine number, cite and build; what
-- comes out is handed on as one raw block, so that nothing after this filter can reword it. What
-- the document needs comes in a comment at its head, as JSON.

local function read_settings(doc)
  for position, block in ipairs(doc.blocks) do
    local settings = block.t == "RawBlock" and block.text:match("^<!%-%- evidence (.*) %-%->$")
    if settings then
      doc.blocks:remove(position)
      return pandoc.json.decode(settings)
    end
  end
end

-- The dialect's headings begin at level 2; Quarto raises them for Typst unless told otherwise.
local function at_their_level(doc)
  local raised = false
  doc:walk({ Header = function(header) raised = raised or header.level == 1 end })
  return raised and doc:walk({ Header = function(header)
    header.level = header.level + 1
    return header
  end }) or doc
end

-- Each filter file sets the global `Pandoc`; here they keep out of each other's way.
local function pass(settings, name)
  local environment = setmetatable({}, { __index = _G })
  assert(loadfile(settings.filters .. "/" .. name .. ".lua", "t", environment))()
  return environment.Pandoc
end

local function write(blocks, format)
  return pandoc.write(pandoc.Pandoc(blocks), format, pandoc.WriterOptions({ wrap_text = "none" }))
end

-- PDF/UA forbids characters without a glyph: a white square shows that one was there.
local function with_glyphs(text, ranges)
  local missing = {}
  local function known(code)
    local low, high = 1, #ranges
    while low <= high do
      local middle = (low + high) // 2
      if code < ranges[middle][1] then
        high = middle - 1
      elseif code > ranges[middle][2] then
        low = middle + 1
      else
        return true
      end
    end
    return false
  end
  text = text:gsub("[\xC2-\xFD][\x80-\xBF]*", function(character)
    local code = utf8.codepoint(character)
    if known(code) then
      return nil
    end
    missing[string.format("U+%04X", code)] = true
    return "\u{25a1}"
  end)
  local names = {}
  for name in pairs(missing) do
    table.insert(names, name)
  end
  if #names > 0 then
    table.sort(names)
    io.stderr:write("characters without a glyph in the fonts: " .. table.concat(names, " ") .. "\n")
  end
  return text
end

local function build(doc)
  local settings = read_settings(doc)
  if not settings then
    return nil
  end
  local meta = { lang = settings.lang, ["link-citations"] = true }
  if settings.works then
    meta.bibliography = settings.works
    meta.csl = settings.csl
  end
  local made = pass(settings, "references")(at_their_level(pandoc.Pandoc(doc.blocks, meta)))
  if settings.works then
    made = pandoc.utils.citeproc(made)
  end
  local text
  if settings.format == "html" then
    made.meta.sizes = settings.sizes
    made = pass(settings, "html")(made)
    text = settings.begins .. write(made.meta.contents, "html5") .. settings.turns
      .. write(made.blocks, "html5") .. settings.ends
    doc.blocks = { pandoc.RawBlock("html", text) }
  else
    made = made:walk({ Image = function(image)
      image.src = settings.folder .. image.src
      return image
    end })
    made = pass(settings, "typst")(made)
    text = settings.head .. write(made.blocks, "typst-citations-smart")
    doc.blocks = { pandoc.RawBlock("typst", with_glyphs(text, settings.glyphs)) }
  end
  return doc
end

return { { Pandoc = build } }
