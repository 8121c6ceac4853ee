"""Each party's own columns: sources, partitions, overlap, preprocessing, and the loader that lines rows up."""
