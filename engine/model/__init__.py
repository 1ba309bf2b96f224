"""The words of the engine as types: what stands on the wire and what names it. No behaviour beyond identity and
time.
"""
