"""Models of many effect sizes: meta-analysis, its results and its diagnostics."""
