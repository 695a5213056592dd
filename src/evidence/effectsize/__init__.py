"""From what a paper reports to an effect size and its sampling variance."""
