"""The method: an architecture's stages at their owners, the wire between them, and the training step of all."""
