"""How a network is trained: its recipe, the short training of a trial and the final fit."""
