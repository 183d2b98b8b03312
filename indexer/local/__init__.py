"""Starts local servers and makes sample logs, for the demo and the tests."""
