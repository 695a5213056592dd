"""Curated literature and places: read, check, build and query the data packages."""
