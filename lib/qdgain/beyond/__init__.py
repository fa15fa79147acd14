"""The physics beyond the paper: equilibrium, Auger recombination, design, ensembles."""
