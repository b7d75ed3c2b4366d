"""What is searched: ranges, the boxes they make, how boxes narrow, and the draws from them."""
