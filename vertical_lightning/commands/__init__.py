"""One command a file, and nothing but its command line; nobody imports from here."""
