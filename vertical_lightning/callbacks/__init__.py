"""Observers of a run. Looking changes nothing: weights are bit-identical with and without each of them."""
