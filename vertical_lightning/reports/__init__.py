"""What the jobs of a sweep found, in one report: a table over seeds, pictures, and what did not complete.

Read from the folders that the jobs left behind; neither torch nor Lightning is imported.
"""
