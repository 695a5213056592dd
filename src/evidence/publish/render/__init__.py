"""From an executed notebook to pages: one prepared document, one interface, several engines."""

from evidence.publish.render.document import FORMATS, Document, Rendered, Renderer
from evidence.publish.render.engines import ENGINES, renderer
from evidence.publish.render.prepare import prepare

__all__ = ["ENGINES", "FORMATS", "Document", "Rendered", "Renderer", "prepare", "renderer"]
