"""What a network is: its layers, their shapes and first weights, and the networks of the paper; without TensorFlow."""
