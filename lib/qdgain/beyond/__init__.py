"""The physics beyond the paper: line shapes, Auger recombination, information, design, samples."""
