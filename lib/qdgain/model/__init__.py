"""The paper's model: bands, populations, states, gain, thresholds and the film, in numpy alone."""
