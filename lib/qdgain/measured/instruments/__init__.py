"""Files of instruments: one dialect a function, see `qdgain.measured.instruments.formats`."""
