"""Files, labels, pixels: everything between image files and arrays. Knows nothing of networks or trials."""
