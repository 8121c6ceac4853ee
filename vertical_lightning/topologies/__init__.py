"""Who owns which stages of an architecture. Adding a topology costs a yaml in `conf/topology/`."""
