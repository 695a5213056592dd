"""Accessible tables from plain data frames."""
