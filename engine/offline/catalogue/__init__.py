"""The catalogue looked at as a whole: what stands under each objective and how it fares, and what ought to be mended.

Pure: what the topics said, and what time it is, are given.
"""
