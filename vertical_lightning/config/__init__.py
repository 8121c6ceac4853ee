"""The command line and conf/: composed, checked before anything takes time, and compared between runs and parties."""
