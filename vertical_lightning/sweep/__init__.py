"""Many jobs, one answer: which jobs there are, how one job ends, and what the sweep leaves behind."""
