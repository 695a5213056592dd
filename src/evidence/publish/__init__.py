"""Execute notebooks, render documents, run the batch, write the site."""
