"""Who is to hear of a review's transitions, and who is spared: silences, inhibition, noise budgets, digests.

Pure: triggers, silences and the time go in, notifications come out. How they are sent is the business of `deliver`.
"""
