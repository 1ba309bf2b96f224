"""Delivery of notifications: who is told of a review's transitions gets each of them, in order, through restarts.

A worker reads review triggers, passes them through the gate (`notify`), routes what comes out to receivers, and keeps a
notification log in the topic `deliveries`. `docs/delivery.md` says what is promised.
"""
