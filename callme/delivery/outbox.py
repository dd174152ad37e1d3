"""The pure heart of delivery: what is due on a lane, and what an outcome means for it.

A *lane* is the ordered deliveries of one call to one portal. The worker asks `next_step(lane, now)`, carries the step
out through the portal, and hands the outcome to `settle`, which returns the lane as it is afterwards; the store writes
both in one transaction. No clock, no I/O here: `now` is an argument.
"""
