"""The final fit of the chosen configuration, in a folder."""
