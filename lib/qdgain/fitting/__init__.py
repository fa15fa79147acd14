"""From the spectra of a user's own dot to its parameters, with errors."""
