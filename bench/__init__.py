"""Benchmarks: scenarios that run competitors, measure them and report what they found."""
