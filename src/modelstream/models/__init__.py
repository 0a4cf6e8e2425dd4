"""Models on their way from a published message to a version that may be served.

Read `admit` first: the loop. `lifecycle` has its rules, `artifacts` gets the bytes, `jail` has them
looked at by `check` in a confined child (`jail_child`, `confine`), where `trial` puts records to the
model.
"""
