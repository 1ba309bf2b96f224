"""What a rule set is made of once it is checked: immutable values that refer to no file.

The rooms mirror `engine.rules.spec`, which holds the same things as people write them.
"""
