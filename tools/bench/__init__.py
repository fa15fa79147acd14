"""What is fast, measured side by side with the obvious way and with the machine's limit.

`make bench` runs every subject. A subject is a module with one function, ``measure``, which takes a
`bench.measured.Scale` and returns a list of `bench.measured.Measured`; its name stands in
`bench.subjects.SUBJECTS`.
"""
