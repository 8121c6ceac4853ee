"""One process per party: how they come together, agree on one run, and end it together."""
