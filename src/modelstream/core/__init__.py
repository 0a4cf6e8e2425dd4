"""The pure heart of modelstream: no clock, no I/O, no threads, no randomness.

Read in this order: `registry` (which versions there are), `plan` (which one answers now), `effects`
(what goes in and out), `policy` (who is asked, who decides), `stats`, `machine` (all of it).
"""
