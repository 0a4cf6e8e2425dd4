"""The algebra of answer policies: who is asked for an answer (starter), and who decides (collector).

Read `base` first. Every policy is a pure value with `ask` and `decide`, and they nest: a member of
one is another. `text` is the one notation of them in flow.toml and on the models topic.
"""
