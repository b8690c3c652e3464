"""One record for everything slow: its state, its steps, and the hand-over to the queue."""

from influencer.jobs.interrupts import Cancelled, HandOver, LostLease, Wait

__all__ = ["Cancelled", "HandOver", "LostLease", "Wait"]
