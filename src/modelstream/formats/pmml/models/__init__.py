"""One module for each model element, and what it is made of."""
