"""Looking after a study in its storage: what is wrong with it, mending that, moving it elsewhere."""
