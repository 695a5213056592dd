"""Figures from plain data frames, in one style, with alternative text."""
