"""The platforms: each a folder or a file that listens, sends, and says what became of a message."""
