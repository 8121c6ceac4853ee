"""Which rows are about the same entity? Private set intersection finds out without showing anyone the other ids."""
