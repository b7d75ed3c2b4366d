"""What a search came to: the best trials, the verdict on the finalists, the choice, and comparisons."""
