"""The command line: composes the floors below. Nothing here is imported before the command that needs it."""

from engine.cli.main import main

__all__ = ["main"]
