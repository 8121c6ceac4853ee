"""One data set a file; each class loads `Table`s."""
