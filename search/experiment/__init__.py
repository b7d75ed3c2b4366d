"""The paper's other studies and what it suggests, as declared variants, and what came out of them."""
