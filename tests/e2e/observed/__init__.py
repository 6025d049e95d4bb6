"""A small application under the product's observation, to prove it apart from the catalog."""
