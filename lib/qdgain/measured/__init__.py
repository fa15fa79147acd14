"""Spectra from files: what an instrument wrote, and gain measured against photon energy."""
