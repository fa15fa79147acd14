"""The paper's model: bands, states, gain, thresholds and the film; numpy and scipy, no plotting."""
