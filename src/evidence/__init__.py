"""Prevention evidence workbench: from published trials and local indicators to local briefings."""
