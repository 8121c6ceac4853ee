"""One way to divide columns among parties a file."""
