"""What an operator sees: metrics on a registry that is passed in, health, and the endpoint that serves both.

Nothing here reads a clock; times are passed in.
"""
