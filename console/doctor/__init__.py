"""The walk along the whole chain, hop by hop: what is broken first, and what to do about it."""
