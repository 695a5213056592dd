"""From evidence and a place to what may be said about a local decision."""
