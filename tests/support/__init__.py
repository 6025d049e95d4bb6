"""What the tests start: the product itself and the real services around it."""
