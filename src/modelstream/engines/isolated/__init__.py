"""Versions that are scored in processes of their own: one that holds the interpreter's lock stalls nobody.

`memory` is what both sides see, `messages` what they say beside it, `child` the confined process and
`scorer` its parent's side. Records go in as they stand on the log and outcomes come out.
"""
