"""A chapter with other parameters: what is asked for, its run, and the folder that it leaves."""
