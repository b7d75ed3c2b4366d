"""What a training leaves: predictions and their errors, and the network as a Keras file."""
