"""How Kawan listens and speaks; imports nothing, so that `python3 -m bot` can start before anything is installed."""
