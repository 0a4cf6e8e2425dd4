"""Generated code and its sources; `make proto` writes it. Other modules use `wire.descriptor`."""
