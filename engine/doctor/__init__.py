"""An installation looked at from outside: facts are gathered, then judged. Nothing is written and nothing committed."""
