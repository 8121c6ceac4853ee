"""A party's own file or folder: read, checked, and told what is wrong with it without showing what it holds."""
