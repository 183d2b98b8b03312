"""Local servers and sample logs, for the demo, the tests and the benchmarks."""
