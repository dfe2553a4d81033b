"""Studies of the method itself, run by the benchmarks: their results are committed beside them."""
