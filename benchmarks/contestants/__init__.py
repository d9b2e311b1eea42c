"""Who is measured: one module each, with `version()`, `prepare(workload, arrays, threads)` and `to_numpy`.

`prepare` returns a function without arguments that does the work once, or `None`.
"""
