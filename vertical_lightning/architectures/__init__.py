"""Uncut networks as ordered rows of named stages. Adding one costs a file here and a yaml in `conf/architecture/`."""
