"""The panels of every figure: for each, named series with units and a way to draw them."""
