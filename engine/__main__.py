"""`python -m engine` is `counterpoint`."""

from engine.cli import main

main()
