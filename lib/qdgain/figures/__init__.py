"""The panels of the paper's figures: for each, named series with units and a way to draw them."""
