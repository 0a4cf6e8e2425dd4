"""Trees: from nodes to binary tests, and the forest that runs them."""
