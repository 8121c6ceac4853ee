"""Several embeddings → one, at the party that receives them. Adding one costs a file here and a yaml in `conf/merge/`.

A merge is a module that is built from the senders' embedding shapes, in the order in which the embeddings arrive.
"""
