"""The hot path: small compiled functions over arrays. No objects, no strings, no clocks, no exceptions.

Each has a slow obvious twin in the tests.
"""
