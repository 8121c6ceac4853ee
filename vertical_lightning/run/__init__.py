"""From a configuration to a finished run: built, trained, tested, recorded; and what is made of it later."""
